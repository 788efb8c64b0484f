"""A living review: its dated states, replayed."""
