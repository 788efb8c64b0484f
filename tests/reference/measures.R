# Writes measures.json: what metafor's escalc says about small made-up experiments.
#
#     Rscript tests/reference/measures.R        (a second; see README.md)

suppressPackageStartupMessages({library(metafor); library(jsonlite)})
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
set.seed(13)
es <- function(...) {
  e <- do.call(escalc, list(...))
  list(effect = as.numeric(e$yi), variance = as.numeric(e$vi))
}

# ---------------------------------------------------------------- events among animals
# Row 4: no event in either group; row 5: every animal; rows 6 to 8: one or two empty cells.
counts <- data.frame(events_treated = c(3, 1, 9, 0, 8, 0, 6, 0, 12),
                     n_treated = c(10, 12, 11, 8, 8, 9, 6, 7, 40),
                     events_control = c(7, 5, 2, 0, 10, 4, 3, 7, 25),
                     n_control = c(10, 12, 14, 9, 10, 9, 8, 7, 38))
binary <- function(measure, ...)
  es(measure, ai = counts$events_treated, n1i = counts$n_treated, ci = counts$events_control,
     n2i = counts$n_control, add = 1/2, to = "only0", ...)
# metafor keeps pairs of groups without events (and, for OR, with nothing else): dropped here.
both <- with(counts, (events_treated == 0 & events_control == 0) |
               (events_treated == n_treated & events_control == n_control))
none <- with(counts, events_treated == 0 & events_control == 0)
or <- binary("OR"); or$effect[both] <- or$variance[both] <- NA
rr <- binary("RR"); rr$effect[none] <- rr$variance[none] <- NA
rd <- binary("RD")                        # metafor adds 0.5 to the difference itself too: not here
rd$effect <- with(counts, events_treated / n_treated - events_control / n_control)

# ---------------------------------------------------------------- means and SDs
groups <- data.frame(n_treated = c(6, 8, 10, 4, 12), mean_treated = c(5, 6, 7, 2.5, 3),
                     sd_treated = c(1, 1.2, 0.9, 0.4, 2), n_control = c(6, 8, 9, 5, 11),
                     mean_control = c(3, 3, 4, 3.1, 4.4), sd_control = c(1, 1, 1, 0.9, 1.5))
means <- function(measure, d, ...)
  es(measure, n1i = d$n_treated, m1i = d$mean_treated, sd1i = d$sd_treated,
     n2i = d$n_control, m2i = d$mean_control, sd2i = d$sd_control, ...)

# ---------------------------------------------------------------- tests of raw animals
raw <- lapply(1:6, function(i) list(treated = rnorm(5 + i, i / 3), control = rnorm(4 + i, 1)))
tested <- do.call(rbind, lapply(raw, function(x) {
  t <- t.test(x$treated, x$control, var.equal = TRUE)
  d <- data.frame(y = c(x$treated, x$control),
                  g = rep(c("t", "c"), c(length(x$treated), length(x$control))))
  data.frame(n_treated = length(x$treated), mean_treated = mean(x$treated),
             sd_treated = sd(x$treated), n_control = length(x$control),
             mean_control = mean(x$control), sd_control = sd(x$control),
             t = as.numeric(t$statistic), f = anova(lm(y ~ g, d))[1, "F value"],
             p = t$p.value, direction = sign(mean(x$treated) - mean(x$control)))
}))

# ---------------------------------------------------------------- change from baseline
# The SD of a change is that of the differences of raw values with this very correlation.
changes <- do.call(rbind, lapply(1:4, function(i) {
  before <- rnorm(7 + i, 10, 2); after <- before * 0.6 + rnorm(7 + i, 3, 1)
  data.frame(sd_baseline = sd(before), sd_follow_up = sd(after), r = cor(before, after),
             sd = sd(after - before))
}))
correlated <- data.frame(r = c(0.31, -0.72, 0.05, 0.98), n = c(12, 8, 40, 5))

out <- list(
  versions = list(R = paste(R.version$major, R.version$minor, sep = "."),
                  metafor = as.character(packageVersion("metafor"))),
  binary = list(data = counts, OR = or, RR = rr, RD = rd),
  groups = list(data = groups, average = means("SMD", groups, vtype = "AV"),
                average_of_three = means("SMD", groups[1:3, ], vtype = "AV"),
                VR = means("VR", groups), CVR = means("CVR", groups)),
  tests = list(data = tested, metafor = means("SMD", tested),
               unbiased = means("SMD", tested, vtype = "UB"), average = means("SMD", tested, vtype = "AV")),
  changes = changes,
  correlations = list(data = correlated, ZCOR = es("ZCOR", ri = correlated$r, ni = correlated$n)))
write(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null"),
      file.path(here, "measures.json"))
