# Writes multilevel.json: what metafor and clubSandwich say about random nested layouts.
#
#     Rscript tests/reference/multilevel.R [layouts] [file]
#
# 60 layouts by default (two minutes). rma.mv optimises the logarithms of its variances and with
# tight tolerances some optimisers give up, so several are tried, the last goes on from where the best
# one ended, and the highest likelihood counts.

suppressPackageStartupMessages({ library(metafor); library(clubSandwich); library(jsonlite) })
options(warn = 1)
arguments <- commandArgs(TRUE)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
count <- if (length(arguments) > 0) as.integer(arguments[1]) else 60
file <- if (length(arguments) > 1) arguments[2] else file.path(here, "multilevel.json")
LEVELS <- c("strain", "study", "experiment", "day")

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

# Labels of a level: numbers that are used again in other outer groups, or not.
nested <- function(outer, k, groups) {
  id <- integer(k)
  for (g in unique(outer)) {
    rows <- which(outer == g)
    id[rows] <- sample.int(max(1, min(groups, length(rows))), length(rows), replace = TRUE)
  }
  if (runif(1) < 0.5) id else as.integer(factor(paste(outer, id)))
}

layout <- function(seed) {
  set.seed(seed)
  depth <- sample(1:4, 1, prob = c(1, 3, 3, 2))
  k <- sample(12:50, 1)
  d <- data.frame(row = seq_len(k))
  used <- if (depth == 1) "study" else tail(LEVELS[1:max(depth, 2)], depth)
  outer <- rep(1, k)
  paths <- list()
  for (at in seq_along(used)) {
    id <- if (at == 1) sample.int(sample(6:14, 1), k, replace = TRUE) else nested(outer, k, sample(2:4, 1))
    d[[used[at]]] <- id
    outer <- paste(outer, id)
    paths[[used[at]]] <- outer
  }
  rows_too <- runif(1) < 0.6
  # Sizes of animal studies, and sometimes very unequal ones.
  vi <- if (runif(1) < 0.8) runif(k, 0.1, 0.8) else exp(rnorm(k, -1, 1.5))
  yi <- 1 + rnorm(k, 0, sqrt(vi))
  for (path in paths) {
    sd <- sample(c(0, 0.3, 0.8), 1)
    yi <- yi + rnorm(length(unique(path)), 0, sd)[as.integer(factor(path))]
  }
  if (rows_too) yi <- yi + rnorm(k, 0, sample(c(0, 0.5), 1))
  # V: independent; constant within an inner or an outer group
  within <- sample(c("none", used), 1)
  rho <- sample(c(0.2, 0.5, 0.8), 1)
  x <- switch(sample(3, 1), NULL,
    { # a moderator of the outermost groups, in three levels
      mod <- sample.int(3, max(d[[used[1]]]), replace = TRUE)[d[[used[1]]]]
      if (min(table(factor(mod, 1:3))) == 0) NULL else
        cbind(1, mod == 2, mod == 3) + 0
    },
    cbind(1, round(rnorm(k, 5, 2), 2), runif(k) < 0.4))
  list(seed = seed, k = k, used = used, d = d, paths = paths, rows_too = rows_too, yi = yi,
       vi = vi, within = within, rho = rho, x = x)
}

solve_layout <- function(l) {
  d <- l$d
  d$yi <- l$yi; d$vi <- l$vi
  V <- if (l$within == "none") l$vi else
    vcalc(vi, cluster = l$paths[[l$within]], obs = row, rho = l$rho, data = d)
  terms <- c(l$used, if (l$rows_too) "row")
  random <- as.formula(paste("~ 1 |", paste(terms, collapse = "/")))
  x <- if (is.null(l$x)) matrix(1, l$k, 1) else l$x
  colnames(x) <- paste0("x", seq_len(ncol(x)))
  # A level whose groups are those of the next one cannot be told from it.
  sizes <- c(sapply(l$paths, function(p) length(unique(p))), if (l$rows_too) c(row = l$k))
  if (any(duplicated(sizes)) || ncol(x) > 1 && qr(x)$rank < ncol(x)) return(NULL)
  run <- function(control) rma.mv(yi, V, mods = x, intercept = FALSE, random = random, data = d,
                                  test = "t", dfs = "contain", control = control, digits = 15)
  r <- best_fit(run)
  if (is.null(r)) return(NULL)
  cluster <- l$paths[[l$used[1]]]
  cr2 <- vcovCR(r, cluster = cluster, type = "CR2")
  test <- coef_test(r, vcov = cr2, test = "Satterthwaite")
  out <- list(
    seed = l$seed, yi = l$yi, vi = l$vi, levels = as.list(d[l$used]), row = l$rows_too,
    x = if (is.null(l$x)) NULL else unname(x), within = l$within, rho = l$rho,
    sigma2 = as.numeric(r$sigma2), groups = unname(sizes), beta = as.numeric(r$b),
    se = as.numeric(r$se), df = unname(as.numeric(r$ddf)), p = as.numeric(r$pval),
    loglik = as.numeric(logLik(r)), q = as.numeric(r$QE), q_p = as.numeric(r$QEp),
    cr2_se = as.numeric(test$SE), cr2_df = as.numeric(test$df_Satt), cr2_p = as.numeric(test$p_Satt)
  )
  if (ncol(x) > 1) {
    contrast <- diag(ncol(x))[-1, , drop = FALSE]
    htz <- try(Wald_test(r, constraints = contrast, vcov = cr2, test = "HTZ"), silent = TRUE)
    if (!inherits(htz, "try-error"))
      out$htz <- list(f = htz$Fstat, df = htz$df_denom, p = htz$p_val)
    f <- anova(r, X = contrast)
    out$f <- list(f = as.numeric(f$QM), df = as.numeric(f$QMdf[2]), p = as.numeric(f$QMp))
  } else {
    pi <- predict(r)
    out$pi <- c(pi$pi.lb, pi$pi.ub)
  }
  out
}

cases <- list()
seed <- 0
while (length(cases) < count) {
  seed <- seed + 1
  one <- solve_layout(layout(seed))
  if (!is.null(one)) cases[[length(cases) + 1]] <- one
}
# Two more, in which a level of the moderator is one row of one cluster.
for (seed in c(153, 331)[count < 150]) cases[[length(cases) + 1]] <- solve_layout(layout(seed))
versions <- list(R = paste(R.version$major, R.version$minor, sep = "."))
for (package in c("metafor", "clubSandwich"))
  versions[[package]] <- as.character(packageVersion(package))
write(toJSON(list(versions = versions, cases = cases), digits = NA, auto_unbox = TRUE, null = "null"),
      file)
cat(length(cases), "layouts\n")
