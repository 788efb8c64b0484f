# Writes terms.json: what splines::ns, model.matrix, metafor and clubSandwich say about regressions
# with several terms, deletions, small-study regressions and other rho of made-up clustered rows.
#
#     Rscript tests/reference/terms.R [file]
#
# About two minutes. Several optimisers are tried for each fit and the highest likelihood counts.

suppressPackageStartupMessages({ library(metafor); library(clubSandwich); library(jsonlite) })
library(splines)
options(warn = 1)
arguments <- commandArgs(TRUE)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
file <- if (length(arguments) > 0) arguments[1] else file.path(here, "terms.json")

simplex <- list(optimizer = "optim", optmethod = "Nelder-Mead", reltol = 1e-15, maxit = 5000)
controls <- list(simplex, list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 100),
                 list(optimizer = "nlminb", rel.tol = 1e-12), simplex)
best_fit <- function(run) {
  best <- NULL
  for (at in seq_along(controls)) {
    control <- controls[[at]]
    if (at == 4 && !is.null(best)) control$sigma2.init <- pmax(best$sigma2, 1e-7)
    one <- try(suppressWarnings(run(control)), silent = TRUE)
    if (inherits(one, "try-error")) next
    if (is.null(best) || logLik(one) > logLik(best)) best <- one
  }
  best
}

# Animal studies: several rows a study, moderators of studies and of rows.
rows <- function(seed, studies, most, empty) {
  set.seed(seed)
  size <- sample.int(most, studies, replace = TRUE)
  study <- rep(seq_len(studies), size)
  k <- length(study)
  d <- data.frame(row = seq_len(k), study = study)
  d$species <- sample(c("mouse", "rat"), studies, replace = TRUE)[study]
  d$sex <- sample(c("both", "female", "male"), k, replace = TRUE)
  if (empty) d$sex[d$species == "rat" & d$sex == "male"] <- "female"
  d$dose <- sample(c(0.1, 0.3, 1, 3, 10, 30), k, replace = TRUE)
  d$days <- sample(c(3, 7, 14, 21, 28, 42, 56, 84), k, replace = TRUE)
  d$year <- sample(2005:2022, studies, replace = TRUE)[study]
  d$n1 <- sample(4:14, k, replace = TRUE)
  d$n2 <- sample(4:14, k, replace = TRUE)
  d$baseline <- round(rnorm(k, 8, 2), 2)
  true <- 1.2 + 0.5 * (d$species == "rat") + 0.4 * log10(d$dose) + rnorm(studies, 0, 0.6)[study] +
    rnorm(k, 0, 0.4)
  d$vi <- round(1 / d$n1 + 1 / d$n2 + true^2 / (2 * (d$n1 + d$n2)), 5)
  d$yi <- round(rnorm(k, true, sqrt(d$vi)), 5)
  d
}

covariance <- function(d, rho) {
  V <- rho * sqrt(outer(d$vi, d$vi)) * outer(d$study, d$study, "==")
  diag(V) <- d$vi
  V
}

multi <- function(d, x, rho) {
  V <- covariance(d, rho)
  best_fit(function(control) rma.mv(yi, V, mods = x, intercept = FALSE, random = ~ 1 | study/row,
                                    data = d, test = "t", dfs = "contain", control = control))
}

# The columns of each term in a model matrix without those that follow from others.
matrix_of <- function(d, formula) {
  x <- model.matrix(formula, d)
  owner <- attr(x, "assign")
  good <- qr(x)
  keep <- sort(good$pivot[seq_len(good$rank)])
  list(x = unname(x[, keep]), owner = owner[keep], names = colnames(x)[keep],
       terms = attr(terms(formula), "term.labels"))
}

regression <- function(d, formula, terms, rho) {
  m <- matrix_of(d, formula)
  x <- m$x
  colnames(x) <- paste0("x", seq_len(ncol(x)))
  r <- multi(d, x, rho)
  cr2 <- vcovCR(r, cluster = d$study, type = "CR2")
  table <- coef_test(r, vcov = cr2, test = "Satterthwaite")
  fixed <- var(as.numeric(x %*% r$b))
  joint <- lapply(seq_along(m$terms), function(t) {
    own <- which(m$owner == t)
    contrast <- diag(ncol(x))[own, , drop = FALSE]
    htz <- Wald_test(r, constraints = contrast, vcov = cr2, test = "HTZ")
    f <- anova(r, X = contrast)
    v <- cov2cor(r$vb[-1, -1])
    gvif <- if (length(own) == ncol(v)) 1 else
      det(v[own - 1, own - 1, drop = FALSE]) * det(v[-(own - 1), -(own - 1), drop = FALSE]) / det(v)
    list(term = terms[t], columns = I(own), htz = c(htz$Fstat, htz$df_denom, htz$p_val),
         f = c(as.numeric(f$QM), as.numeric(f$QMdf[2]), as.numeric(f$QMp)), gvif = gvif)
  })
  list(terms = I(terms), rho = rho, x = x, names = m$names, beta = as.numeric(r$b),
       se = as.numeric(r$se), sigma2 = r$sigma2, cr2_se = table$SE, cr2_df = table$df_Satt,
       cr2_p = table$p_Satt, joint = joint, r2 = 100 * fixed / (fixed + sum(r$sigma2)),
       loglik = as.numeric(logLik(r)), vif = as.numeric(vif(r, btt = list(which(m$owner == 1)))$vifs))
}

deletion <- function(d, rho) {
  one <- cbind(rep(1, nrow(d)))
  r <- multi(d, one, rho)
  each <- lapply(unique(d$study), function(s) {
    part <- d[d$study != s, ]
    m <- multi(part, cbind(rep(1, nrow(part))), rho)
    test <- coef_test(m, vcov = "CR2", cluster = part$study, test = "Satterthwaite")
    pi <- predict(m)
    # As metafor's dfbetas and cooks.distance with cluster: the variance of the mean of all rows
    # under the sigma2 of the rest, and of the full fit.
    all <- rma.mv(yi, covariance(d, rho), random = ~ 1 | study/row, data = d, sigma2 = m$sigma2)
    list(study = s, estimate = as.numeric(m$b), se = m$se, sigma2 = m$sigma2, cr2_se = test$SE,
         cr2_df = test$df_Satt, pi = c(pi$pi.lb, pi$pi.ub),
         cook = as.numeric((r$b - m$b)^2 / r$vb), dfbetas = as.numeric((r$b - m$b) / sqrt(all$vb)))
  })
  loose <- rma.mv(yi, covariance(d, rho), random = ~ 1 | study/row, data = d)
  list(rho = rho, estimate = as.numeric(r$b), se = r$se, sigma2 = r$sigma2, each = each,
       metafor_cook = unname(cooks.distance(loose, cluster = d$study)),
       metafor_dfbetas = dfbetas(loose, cluster = d$study)[, 1],
       row_cook = unname(cooks.distance(loose)))
}

small <- function(d, rho) {
  one <- function(x) {
    r <- multi(d, cbind(1, x), rho)
    test <- coef_test(r, vcov = "CR2", cluster = d$study, test = "Satterthwaite")
    list(slope = as.numeric(r$b)[2], intercept = as.numeric(r$b)[1], se = test$SE[2],
         df = test$df_Satt[2], p = test$p_Satt[2], contain_p = as.numeric(r$pval)[2],
         contain_df = as.numeric(r$ddf)[2])
  }
  r <- multi(d, cbind(1, d$baseline), rho)
  left <- d$yi - as.numeric(cbind(1, d$baseline) %*% r$b)
  inverse <- 1 / (d$n1 + d$n2)
  second <- function(w) {
    m <- if (is.null(w)) lm(left ~ inverse) else lm(left ~ inverse, weights = w)
    # By default the working variances are equal whatever the weights are.
    cr2 <- vcovCR(m, cluster = d$study, type = "CR2", target = 1 / (if (is.null(w)) rep(1, nrow(d)) else w))
    test <- coef_test(m, vcov = cr2, test = "Satterthwaite")
    list(slope = unname(coef(m)[2]), intercept = unname(coef(m)[1]), se = test$SE[2],
         df = test$df_Satt[2], p = test$p_Satt[2])
  }
  list(rho = rho, size = one(sqrt(1 / d$n1 + 1 / d$n2)), year = one(d$year - mean(d$year)),
       doleman = list(none = second(NULL), variance = second(1 / d$vi), n = second(d$n1 + d$n2)))
}

independent <- function(d, formula, terms) {
  m <- matrix_of(d, formula)
  r <- rma(yi, vi, mods = m$x[, -1], data = d, test = "knha",
           control = list(threshold = 1e-12, maxiter = 1000))
  joint <- lapply(seq_along(m$terms), function(t) {
    f <- anova(r, btt = which(m$owner == t))
    list(term = terms[t], f = c(as.numeric(f$QM), as.numeric(f$QMdf[2]), as.numeric(f$QMp)))
  })
  list(terms = I(terms), beta = as.numeric(r$b), se = r$se, p = r$pval, tau2 = r$tau2, joint = joint)
}

series <- function(d) lapply(c(0.2, 0.5, 0.8), function(rho) {
  r <- multi(d, cbind(rep(1, nrow(d))), rho)
  test <- coef_test(r, vcov = "CR2", cluster = d$study, test = "Satterthwaite")
  list(rho = rho, estimate = as.numeric(r$b), se = test$SE, df = test$df_Satt, sigma2 = r$sigma2)
})

full <- rows(1, 24, 5, FALSE)
holes <- rows(2, 26, 4, TRUE)
single <- rows(3, 30, 1, FALSE)
set.seed(4)
x <- list(round(runif(30, 0, 90), 1), sample(c(3, 7, 14, 21, 28, 42, 56, 84), 50, replace = TRUE),
          round(exp(rnorm(25, 2, 1)), 3))
spline <- unlist(lapply(x, function(v) lapply(2:5, function(df)
  list(x = v, df = df, basis = unclass(ns(v, df))[, seq_len(df)]))), recursive = FALSE)

result <- list(
  versions = list(R = paste(R.version$major, R.version$minor, sep = "."),
                  metafor = as.character(packageVersion("metafor")),
                  clubSandwich = as.character(packageVersion("clubSandwich"))),
  data = lapply(list(full = full, holes = holes, single = single), as.list),
  spline = spline,
  regressions = list(
    c(list(data = "full"), regression(full, ~ species + log10(dose), c("species", "log10(dose)"), 0)),
    c(list(data = "full"), regression(full, ~ species + sex + log10(dose) + species:sex,
        c("species", "sex", "log10(dose)", "species:sex"), 0.5)),
    c(list(data = "full"), regression(full, ~ species + log10(dose) + species:sex,
        c("species", "log10(dose)", "species:sex"), 0.5)),
    c(list(data = "full"), regression(full, ~ species + species:log10(dose),
        c("species", "species:log10(dose)"), 0.5)),
    c(list(data = "full"), regression(full, ~ sex + ns(days, 3), c("sex", "spline(days, 3)"), 0.2)),
    c(list(data = "full"), regression(full, ~ species:sex, "species:sex", 0.5)),
    c(list(data = "holes"), regression(holes, ~ species + sex + species:sex,
        c("species", "sex", "species:sex"), 0.5)),
    c(list(data = "holes"), regression(holes, ~ log10(dose) + year + log10(dose):year,
        c("log10(dose)", "year", "log10(dose):year"), 0))),
  independent = list(
    c(list(data = "single"), independent(single, ~ species + log10(dose), c("species", "log10(dose)"))),
    c(list(data = "single"), independent(single, ~ sex + ns(days, 3), c("sex", "spline(days, 3)")))),
  deletion = list(c(list(data = "full"), deletion(full, 0.5)), c(list(data = "holes"), deletion(holes, 0))),
  small = list(c(list(data = "full"), small(full, 0.5)), c(list(data = "holes"), small(holes, 0))),
  series = list(data = "full", each = series(full)))
write(toJSON(result, digits = NA, auto_unbox = TRUE, null = "null"), file)
cat(file, "\n")
