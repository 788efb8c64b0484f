# Writes planning.json: animals, power and assurance by R itself, and how wide intervals are expected
# to be with one experiment more by metafor and clubSandwich, variances held.
#
#     Rscript tests/reference/planning.R [file]
#
# About a minute. What the new experiment finds is integrated over by R's `integrate`.

suppressPackageStartupMessages({ library(metafor); library(clubSandwich); library(jsonlite) })
arguments <- commandArgs(TRUE)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
file <- if (length(arguments) > 0) arguments[1] else file.path(here, "planning.json")
tight <- function(f, low, high) integrate(f, low, high, rel.tol = 1e-9, subdivisions = 2000)$value

power <- lapply(c(0.3, 0.5, 0.8, 1.2, 2.3, 4), function(delta) {
  found <- power.t.test(delta = delta, power = 0.8, tol = 1e-10)
  n <- ceiling(found$n)
  list(delta = delta, n = n, power = power.t.test(delta = delta, n = n)$power)
})

assured <- function(n, mean, scale, df) {
  bar <- qt(0.975, 2 * n - 2)
  success <- function(delta) 1 - pt(bar, 2 * n - 2, ncp = pmin(delta * sqrt(n / 2), 37))
  # Over the probability of the true effect, in parts: the power rises steeply where it is 0.
  none <- pt(-mean / scale, df)
  over <- function(u) success(mean + scale * qt(u, df))
  cuts <- c(0, none / 2, none, none + (1 - none) * c(0.05, 0.25, 0.6), 1)
  sum(mapply(function(a, b) tight(over, a, b), head(cuts, -1), tail(cuts, -1)))
}
cases <- list(c(1, 0.8, 3), c(2.3, 1.4, 70), c(0.5, 0.5, 10), c(1.2, 0.3, 6), c(0.8, 1.1, 1))
assurance <- do.call(c, lapply(cases, function(one) lapply(c(2, 6, 15, 80), function(n)
  list(n = n, mean = one[1], scale = one[2], df = one[3],
       assurance = assured(n, one[1], one[2], one[3])))))

# The width with one experiment more, over what it finds: a normal variable around what the others
# let expect, by the model with its variances held.
expected <- function(width, mean, sd) tight(Vectorize(function(z) width(mean + sd * z) * dnorm(z)), -8, 8)

independent <- lapply(1:6, function(seed) {
  set.seed(seed)
  k <- c(3, 5, 8, 8, 20, 40)[seed]
  vi <- round(runif(k, 0.1, 0.6), 5)
  yi <- round(rnorm(k, 1, sqrt(vi + 0.4)), 5)
  tau2 <- rma(yi, vi, control = list(threshold = 1e-12, maxiter = 1000))$tau2
  new <- 0.3
  out <- lapply(c("z", "knha"), function(test) {
    width <- function(y) { one <- rma(c(yi, y), c(vi, new), tau2 = tau2, test = test); one$ci.ub - one$ci.lb }
    now <- rma(yi, vi, tau2 = tau2, test = test)
    sd <- sqrt(new + tau2 + rma(yi, vi, tau2 = tau2)$se^2)
    list(now = now$ci.ub - now$ci.lb,
         then = if (test == "z") width(0) else expected(width, c(now$beta), sd))
  })
  list(yi = yi, vi = vi, new = new, z = out[[1]], hksj = out[[2]])
})

nested <- lapply(1:4, function(seed) {
  set.seed(seed)
  size <- sample.int(4, c(8, 12, 18, 9)[seed], replace = TRUE)
  study <- rep(seq_along(size), size)
  k <- length(study)
  vi <- round(runif(k, 0.1, 0.5), 5)
  yi <- round(1 + rnorm(length(size), 0, 0.6)[study] + rnorm(k, 0, sqrt(vi + 0.2)), 5)
  V <- 0.4 * sqrt(outer(vi, vi)) * outer(study, study, "==")
  diag(V) <- vi
  sigma2 <- c(0.25, 0.15)
  new <- 0.3
  wide <- function(y, V, study) {
    d <- data.frame(y = y, study = study, row = seq_along(y))
    fit <- rma.mv(y, V, random = ~ 1 | study / row, sigma2 = sigma2, data = d, sparse = FALSE)
    test <- coef_test(fit, vcov = "CR2", cluster = d$study)
    2 * qt(0.975, test$df_Satt) * test$SE
  }
  now <- wide(yi, V, study)
  larger <- rbind(cbind(V, 0), c(rep(0, k), new))
  phi <- V + sigma2[1] * outer(study, study, "==") + sigma2[2] * diag(k)
  inverse <- solve(phi)
  mean <- sum(inverse %*% yi) / sum(inverse)
  then <- lapply(c(max(study) + 1, 1), function(where) {
    shared <- sigma2[1] * (study == where)
    told <- inverse %*% shared
    sd <- sqrt(new + sum(sigma2) - sum(shared * told) + (1 - sum(told))^2 / sum(inverse))
    centre <- mean + sum(told * (yi - mean))
    expected(function(y) wide(c(yi, y), larger, c(study, where)), centre, sd)
  })
  list(yi = yi, vi = vi, study = study, sigma2 = sigma2, new = new, rho = 0.4, now = now,
       new_study = then[[1]], first_study = then[[2]])
})

write_json(list(power = power, assurance = assurance, independent = independent, nested = nested), file,
           digits = NA, auto_unbox = TRUE, pretty = FALSE)
