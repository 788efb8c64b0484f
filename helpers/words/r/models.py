"""R code that fits the models and holds their numbers against the report's."""

from __future__ import annotations

GROUPS = """
# Numbers of the groups that values of several columns make together.
groups <- function(...) {
  parts <- do.call(paste, lapply(list(...), function(x) match(x, unique(x))))
  match(parts, unique(parts))
}
"""
MULTILEVEL = """
# The groups of each level within those of the outer ones. A level with too few of them is left
# out, and so is one whose groups are those of the next.
nested <- function(rows) {
  kept <- list()
  path <- rep(1, nrow(rows))
  for (name in levels) {
    inside <- groups(path, rows[[name]])
    if (max(inside) >= fewest) kept[[name]] <- path <- inside
  }
  if (length(kept) == 0) kept$row <- seq_len(nrow(rows))
  sizes <- sapply(kept, max)
  kept[c(diff(sizes) != 0, TRUE)]
}

# Clusters: the outermost groups, or the studies if each group lies within one; those whose
# sampling errors covary are one.
clusters <- function(rows, outer, V) {
  study <- groups(rows$study)
  code <- if (all(rowSums(table(outer, study) > 0) == 1)) study else outer
  touch <- which(V != 0, arr.ind = TRUE)
  repeat {
    joined <- ave(as.vector(tapply(code[touch[, 2]], touch[, 1], min)), code, FUN = min)
    if (all(joined == code)) return(code)
    code <- joined
  }
}

# Tight tolerances make some optimisers give up: the first that converges counts, and another goes
# on from where it ended.
optimisers <- list(
  list(optimizer = "nlminb", rel.tol = 1e-10),
  list(optimizer = "nlm", gradtol = 1e-9, steptol = 1e-9),
  list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-12),
  list(optimizer = "nlminb"),
  list(optimizer = "optim", optmethod = "Nelder-Mead", maxit = 5000))
last <- list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-14)
converged <- function(fit) {
  attempt <- function(control) try(suppressWarnings(fit(control)), silent = TRUE)
  for (control in optimisers) {
    found <- attempt(control)
    if (!inherits(found, "try-error")) break
  }
  if (inherits(found, "try-error")) stop(found)
  nearer <- attempt(c(last, list(sigma2.init = pmax(found$sigma2, 1e-9 * max(found$sigma2)))))
  worse <- inherits(nearer, "try-error") || logLik(nearer) < logLik(found) - 1e-6
  if (worse) found else nearer
}

multilevel <- function(part, rows) {
  used <- !is.na(design(part, rows)[, 1])
  V <- sampling(rows, part$rho[1])[used, used, drop = FALSE]
  rows <- rows[used, ]
  x <- design(part, rows)
  colnames(x) <- paste0("x", seq_len(ncol(x)))
  kept <- nested(rows)
  rows[names(kept)] <- kept
  random <- as.formula(paste("~ 1 |", paste(names(kept), collapse = "/")))
  fit <- converged(function(control)
    rma.mv(yi, V, mods = x, intercept = FALSE, random = random, data = rows, test = "t",
           dfs = "contain", level = 100 * level, control = control,
           sparse = nrow(rows) > 300))
  se <- fit$se; df <- as.numeric(fit$ddf); wide <- df
  # The test that the levels in it have one mean, or that the slope is 0.
  f <- part$by[part$kind == "test"]
  joint <- c(NA, NA, NA)
  contrast <- diag(ncol(x))[ncol(x), , drop = FALSE]
  if (length(f) && part$kind[1] == "cell") {
    tested <- which(part$in_test[part$kind == "cell"])
    contrast <- diag(ncol(x))[tested[-1], , drop = FALSE]
    contrast[, tested[1]] <- -1
  }
  if (identical(f, "F")) {
    found <- anova(fit, X = contrast)
    joint <- c(found$QM, found$QMdf[2], found$QMp)
  }
  if (any(part$by %in% c("cr2", "HTZ"))) {
    cluster <- clusters(rows, kept[[1]], V)
    robust <- vcovCR(fit, cluster = cluster, type = "CR2")
    found <- coef_test(fit, vcov = robust, test = "Satterthwaite")
    cr2 <- part$by[part$kind %in% c("mean", "cell", "slope")] == "cr2"
    if (part$kind[1] == "slope") cr2 <- c(FALSE, cr2)
    se[cr2] <- found$SE[cr2]
    df[cr2] <- found$df_Satt[cr2]
    wide[cr2] <- length(unique(cluster)) - ncol(x)
    if (identical(f, "HTZ")) {
      found <- Wald_test(fit, constraints = contrast, vcov = robust, test = "HTZ")
      joint <- c(found$Fstat, found$df_denom, found$p_val)
    }
  }
  estimate <- as.numeric(fit$beta)
  half <- qt((1 + level) / 2, df) * se
  reach <- pmax(half, qt((1 + level) / 2, pmax(wide, 1)) * sqrt(se^2 + sum(fit$sigma2)))
  all <- data.frame(estimate, se, ci_low = estimate - half, ci_high = estimate + half, df,
    p = 2 * pt(-abs(estimate / se), df), pi_low = estimate - reach, pi_high = estimate + reach,
    q = fit$QE)
  answer(part, all, joint, fit$sigma2)
}
"""
INDEPENDENT = """
control <- list(threshold = 1e-13, tol = 1e-13, maxiter = 10000)
independent <- function(part, rows) {
  x <- design(part, rows)
  used <- !is.na(x[, 1])
  run <- function(used, x)
    rma(yi, vi, mods = x, intercept = FALSE, data = rows[used, ], method = method,
        test = part$by[1], level = 100 * level, control = control)
  fit <- run(used, x[used, , drop = FALSE])
  df <- if (part$by[1] == "z") Inf else fit$k - ncol(x)
  half <- qt((1 + level) / 2, df) * sqrt(fit$se^2 + fit$tau2)
  if (part$kind[1] %in% c("mean", "subgroup")) {
    w <- 1 / (fit$vi + fit$tau2)
    plain <- 1 / sqrt(sum(w))
    knapp <- plain * sqrt(sum(w * (fit$yi - fit$beta[1])^2) / (fit$k - 1))
    wide <- switch(prediction, riley = c(plain, fit$k - 2), z = c(plain, Inf),
      hk = c(knapp, fit$k - 1))
    half <- if (fit$k < 3 || method == "EE") NA else
      qt((1 + level) / 2, wide[2]) * sqrt(wide[1]^2 + fit$tau2)
  }
  all <- data.frame(estimate = as.numeric(fit$beta), se = fit$se, ci_low = fit$ci.lb,
    ci_high = fit$ci.ub, df, p = fit$pval, pi_low = fit$beta[, 1] - half,
    pi_high = fit$beta[, 1] + half, q = fit$QE)
  joint <- c(NA, NA, NA)
  if ("test" %in% part$kind) {
    found <- fit
    if (part$kind[1] == "cell") {
      # The levels that are tested, by themselves; the first of them is the intercept.
      x <- x[, which(part$in_test[part$kind == "cell"]), drop = FALSE]
      used <- used & rowSums(x) > 0
      x[, 1] <- 1
      found <- run(used, x[used, , drop = FALSE])
    }
    found <- anova(found, btt = 2:ncol(x))
    joint <- c(found$QM, found$QMdf[2], found$QMp)
  }
  answer(part, all, joint, fit$tau2)
}
"""
RUN = """
# Columns of a model: the mean, a level each, or the intercept and what is compared with it.
design <- function(part, rows) {
  one <- rep(1, nrow(rows))
  if (is.na(part$column[1])) return(cbind(one))
  value <- rows[[part$column[1]]]
  one[is.na(value)] <- NA
  if (part$kind[1] == "slope") return(cbind(one, value))
  x <- outer(value, part$level[part$kind %in% c("subgroup", "cell", "coefficient")], "==") * 1
  if (part$kind[1] == "subgroup") return(ifelse(x == 1, 1, NA))
  if (part$kind[1] == "coefficient") cbind(one, x) else x
}

numbers <- c("estimate", "se", "ci_low", "ci_high", "df", "p", "pi_low", "pi_high", "q")
# A model's numbers, each where the report has its own.
answer <- function(part, all, joint, variances) {
  out <- as.data.frame(matrix(NA_real_, nrow(part), length(numbers)))
  names(out) <- numbers
  terms <- which(!part$kind %in% c("test", "variance"))
  out[terms, ] <- utils::tail(all, length(terms))[, numbers]
  if ("test" %in% part$kind) out[part$kind == "test", c("estimate", "df", "p")] <- joint
  out$estimate[part$kind == "variance"] <- variances[seq_len(sum(part$kind == "variance"))]
  out
}

found <- lapply(split(report, report$model), function(part) {
  rows <- dat[dat$outcome == part$outcome[1], ]
  run <- if (is.na(part$rho[1])) independent else multilevel
  tryCatch(run(part, rows), error = function(problem) {
    cat("could not be computed:", part$outcome[1], part$moderator[1], conditionMessage(problem), "\\n")
    answer(part, as.data.frame(matrix(NA_real_, nrow(part), length(numbers),
      dimnames = list(NULL, numbers))), rep(NA, 3), NA)
  })
})
found <- do.call(rbind, found)
theirs <- as.matrix(report[, numbers])
found <- as.matrix(found)
found[is.na(theirs)] <- NA
# Absolute below 1, relative above.
gaps <- ifelse(is.na(theirs), 0, abs(found - theirs) / pmax(1, abs(theirs)))
out <- cbind(report[, c("outcome", "kind", "moderator", "level", "rho", "by")], found,
  gap = apply(gaps, 1, max))
options(width = 200, max.print = 1e6)
print(out, digits = 10, row.names = FALSE)
cat("metafor", as.character(packageVersion("metafor")), "- largest difference from the report:",
  max(gaps), "\\n")
"""
