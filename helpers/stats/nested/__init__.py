"""What rests on the multilevel model: several moderators, deletions, small studies, other ρ."""
