# Writes reference.json: what metafor and clubSandwich say about public data sets.
#
#     Rscript tests/reference/reference.R        (about ten minutes; see README.md)
#
# Every iteration is tightened well beyond metafor's defaults, whose stopping rules are absolute
# (a change of 1e-5 in tau2) and therefore leave visible errors where variances are small.

suppressPackageStartupMessages({
  library(metafor); library(metadat); library(clubSandwich); library(jsonlite)
})
options(warn = 1)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))

METHODS <- c("REML", "ML", "DL", "PM", "SJ", "HE", "EE")
TESTS <- c(z = "z", hksj = "knha", hksj_truncated = "adhoc")

# Absolute threshold on tau2 in units of the data; uniroot tolerances and upper limits likewise.
tight <- function(yi) {
  scale <- max(var(yi), 1e-8)
  list(threshold = 1e-13 * scale, maxiter = 100000, tol = 1e-13 * scale, tau2.max = 1e4 * scale)
}
fit <- function(d, method = "REML", test = "z", ...) suppressWarnings({
  control <- tight(d$yi)
  run <- function(control) rma(yi, vi, data = d, method = method, test = test, digits = 15,
                               control = control, ...)
  res <- try(run(control), silent = TRUE)
  if (inherits(res, "try-error"))         # rounding noise above the threshold: loosen, then halve
    res <- run(modifyList(control, list(threshold = 100 * control$threshold, stepadj = 0.5)))
  res
})
num <- function(x) as.numeric(x)

# ---------------------------------------------------------------- data sets
two <- function(n1, m1, s1, n2, m2, s2, measure, ...) {
  raw <- data.frame(n_treated = n1, mean_treated = m1, sd_treated = s1,
                    n_control = n2, mean_control = m2, sd_control = s2, ...)
  es <- escalc(measure, n1i = n_treated, m1i = mean_treated, sd1i = sd_treated,
               n2i = n_control, m2i = mean_control, sd2i = sd_control, data = raw)
  cbind(raw, yi = num(es$yi), vi = num(es$vi))
}
keep <- function(d) {
  d <- d[is.finite(d$yi) & is.finite(d$vi) & d$vi > 0, ]
  d <- d[, intersect(c("yi", "vi", RAW, "study", "control_group", MODERATORS), names(d))]
  rownames(d) <- NULL
  d
}
RAW <- c("n_treated", "mean_treated", "sd_treated", "n_control", "mean_control", "sd_control")
MODERATORS <- c("x", "x2", "group", "group2")
counts <- function(measure, d, ...) {
  es <- escalc(measure, ai = d$ai, n1i = d$n1i, ci = d$ci, n2i = d$n2i)
  data.frame(yi = num(es$yi), vi = num(es$vi), ...)
}
cors <- function(d, ...) {
  es <- escalc("ZCOR", ri = d$ri, ni = d$ni)
  data.frame(yi = num(es$yi), vi = num(es$vi), ...)
}
pick <- function(d, ...) data.frame(yi = num(d$yi), vi = num(d$vi), ...)

D <- list()
b <- dat.bcg
D$bcg <- with(escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = b),
              data.frame(yi = num(yi), vi = num(vi), x = ablat, x2 = year, group = alloc))
D$raudenbush1985 <- with(dat.raudenbush1985, data.frame(yi = num(yi), vi = num(vi), x = weeks,
                                                        x2 = year, group = setting, group2 = tester))
cu <- dat.curtis1998
for (m in c("SMD", "ROM", "MD"))
  D[[paste0("curtis1998_", tolower(m))]] <-
    two(cu$n1i, cu$m1i, cu$sd1i, cu$n2i, cu$m2i, cu$sd2i, m, x = cu$time, group = cu$method,
        group2 = cu$fungrp, study = cu$paper)
no <- dat.normand1999
for (m in c("SMD", "MD", "ROM"))
  D[[paste0("normand1999_", tolower(m))]] <-
    two(no$n1i, no$m1i, no$sd1i, no$n2i, no$m2i, no$sd2i, m, x = no$n1i)
gi <- dat.gibson2002
for (m in c("SMD", "MD"))
  D[[paste0("gibson2002_", tolower(m))]] <-
    two(gi$n1i, gi$m1i, gi$sd1i, gi$n2i, gi$m2i, gi$sd2i, m, x = gi$year,
        group = as.character(gi$type))
mi <- dat.michael2013
for (m in c("SMD", "MD"))
  D[[paste0("michael2013_", tolower(m))]] <-
    two(mi$Brain_n, mi$Brain_m, mi$Brain_s, mi$No_brain_n, mi$No_brain_m, mi$No_brain_s, m,
        group = mi$Included_Critique, group2 = mi$Medium)
da <- dat.dagostino1998
da <- da[grepl("^rnic", da$outcome), ]
for (m in c("SMD", "ROM"))
  D[[paste0("dagostino1998_", tolower(m))]] <-
    two(da$nt, da$mt, da$sdt, da$nc, da$mc, da$sdc, m, study = da$study, group = da$drug)
le <- dat.lehmann2018
for (m in c("SMD", "ROM"))
  D[[paste0("lehmann2018_", tolower(m))]] <-
    two(le$Red_N, le$Red_M, le$Red_SD, le$Control_N, le$Control_M, le$Control_SD, m, x = le$Year,
        group = le$Gender, group2 = le$Preregistered, study = le$Full_Citation)
be <- dat.besson2016
D$besson2016_smd <- two(be$exp_n, be$exp_mean, be$exp_se * sqrt(be$exp_n), be$con_n, be$con_mean,
                        be$con_se * sqrt(be$con_n), "SMD", group = be$species, study = be$study_ID,
                        x = be$response_age_dPP, group2 = be$sex, control_group = be$con_ID)
D$hackshaw1998 <- pick(dat.hackshaw1998, x = dat.hackshaw1998$year, group = dat.hackshaw1998$design)
ba <- dat.bangertdrowns2004
D$bangertdrowns2004 <- pick(ba, x = ba$length, x2 = ba$ni, group = as.character(ba$grade))
D$baskerville2012 <- with(dat.baskerville2012, data.frame(yi = smd, vi = se^2, x = score,
                                                          group = design, group2 = blind))
D$begg1989 <- pick(dat.begg1989, group = dat.begg1989$trt)
D$berkey1998_pd <- pick(subset(dat.berkey1998, outcome == "PD"))
D$berkey1998_al <- pick(subset(dat.berkey1998, outcome == "AL"))
ko <- dat.konstantopoulos2011
D$konstantopoulos2011 <- pick(ko, study = ko$district, x = ko$year)
as <- dat.assink2016
D$assink2016 <- pick(as, study = as$study, x = as$year, group = as$deltype,
                     group2 = as.character(as$pubstatus))
kn <- dat.knapp2017
D$knapp2017 <- pick(kn, study = kn$study, x = kn$difficulty)
ri <- dat.riley2003
D$riley2003 <- pick(ri, study = ri$study, group = ri$outcome)
D$riley2003_os <- pick(subset(ri, outcome == "OS"))
ka <- dat.kalaian1996
D$kalaian1996 <- pick(ka, study = ka$study, x = ka$hrs, group = ka$outcome)
D$linde2016 <- data.frame(yi = dat.linde2016$lnOR, vi = dat.linde2016$selnOR^2,
                          group = dat.linde2016$treat1)
ta <- dat.tannersmith2016
D$tannersmith2016 <- pick(ta, study = ta$studyid, x = ta$propmale)
D$molloy2014 <- cors(dat.molloy2014, x = dat.molloy2014$meanage, x2 = dat.molloy2014$quality,
                     group = dat.molloy2014$controls, group2 = dat.molloy2014$design)
D$mcdaniel1994 <- cors(dat.mcdaniel1994, group = dat.mcdaniel1994$type,
                       group2 = dat.mcdaniel1994$struct)
D$cohen1981 <- cors(dat.cohen1981, x = dat.cohen1981$control)
D$crede2010 <- cors(dat.crede2010, group = dat.crede2010$criterion, study = dat.crede2010$studyid)
D$lau1992 <- counts("OR", dat.lau1992, x = dat.lau1992$year)
D$egger2001 <- counts("OR", dat.egger2001, x = dat.egger2001$year)
D$li2007 <- counts("OR", dat.li2007, x = dat.li2007$year)
D$laopaiboon2015 <- counts("RR", dat.laopaiboon2015, x = dat.laopaiboon2015$year)
D$lee2004 <- counts("RR", dat.lee2004, x = dat.lee2004$year)
D$nielweise2007 <- counts("OR", dat.nielweise2007, x = dat.nielweise2007$year)
D$hahn2001 <- counts("RR", dat.hahn2001)
D$graves2010 <- counts("OR", dat.graves2010)
D$hine1989 <- with(escalc("RD", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = dat.hine1989),
                   data.frame(yi = num(yi), vi = num(vi)))
D$pignon2000 <- with(dat.pignon2000, data.frame(yi = OmE / V, vi = 1 / V, group = as.character(grp)))
D$edge_k2 <- data.frame(yi = c(0.4, 1.9), vi = c(0.12, 0.2))
D$edge_k2_equal_variance <- data.frame(yi = c(1.0, 3.0), vi = c(0.25, 0.25))
D$edge_k3 <- data.frame(yi = c(2.1, 0.3, 1.2), vi = c(0.3, 0.1, 0.22))
D$edge_tau2_zero <- data.frame(yi = c(0.50, 0.55, 0.45, 0.52, 0.61, 0.44),
                               vi = c(0.10, 0.20, 0.15, 0.12, 0.30, 0.08))
D$edge_ties <- data.frame(yi = c(1, 1, 2, 2, 2, 3, 0, 3, 1, 2), vi = rep(c(0.2, 0.4), 5),
                          group = rep(c("a", "b"), each = 5))
D$edge_huge_variance <- data.frame(yi = c(0.2, 1.5, 0.9, 2.2, 1.1, 1.7),
                                   vi = c(0.1, 0.2, 0.15, 0.12, 0.3, 1e6))
D <- lapply(D, keep)
# Rows whose moderators R would drop are dropped here, so both sides fit the same rows.
complete <- function(d, columns) d[stats::complete.cases(d[, columns, drop = FALSE]), ]

# ---------------------------------------------------------------- pooled results
pooled <- function(name) {
  d <- D[[name]]
  out <- list()
  for (m in METHODS) {
    base <- fit(d, m)
    o <- list(tau2 = num(base$tau2), i2 = num(base$I2), h2 = num(base$H2), q = num(base$QE),
              p_heterogeneity = num(base$QEp))
    for (t in names(TESTS)) {
      r <- if (t == "z") base else fit(d, m, TESTS[[t]])
      p <- predict(r, digits = 15)
      o[[t]] <- c(estimate = num(r$beta), se = num(r$se), ci_low = num(r$ci.lb),
                  ci_high = num(r$ci.ub), p_effect = num(r$pval),
                  pi_low = num(p$pi.lb), pi_high = num(p$pi.ub))
      o[[t]] <- as.list(o[[t]])
    }
    out[[m]] <- o
  }
  ci <- confint(fit(d), digits = 15, control = list(tol = 1e-14 * max(var(d$yi), 1e-8),
                                                    tau2.max = 1e5 * max(var(d$yi), 1)))
  r <- ci$random
  list(data = name, fits = out,
       profile = list(tau2 = num(r["tau^2", 2:3]), i2 = num(r["I^2(%)", 2:3]),
                      h2 = num(r["H^2", 2:3]), null = isTRUE(ci$ci.null)))
}

# ---------------------------------------------------------------- moderators
REGRESSIONS <- list(
  c("bcg", "x"), c("bcg", "x", "x2"), c("bcg", "group"), c("bcg", "x", "group"),
  c("raudenbush1985", "x"), c("raudenbush1985", "group", "group2"),
  c("curtis1998_rom", "group"), c("curtis1998_smd", "x"), c("curtis1998_smd", "group2"),
  c("lehmann2018_smd", "group", "group2"), c("lehmann2018_smd", "x"),
  c("besson2016_smd", "group"), c("besson2016_smd", "x", "group2"),
  c("bangertdrowns2004", "x"), c("bangertdrowns2004", "x", "x2", "group"),
  c("baskerville2012", "x", "group"), c("hackshaw1998", "x", "group"),
  c("assink2016", "x", "group"), c("konstantopoulos2011", "x"), c("kalaian1996", "group"),
  c("molloy2014", "x", "x2", "group"), c("mcdaniel1994", "group", "group2"),
  c("crede2010", "group"), c("pignon2000", "group"), c("linde2016", "group"),
  c("michael2013_smd", "group", "group2"), c("gibson2002_smd", "group"),
  c("lau1992", "x"), c("edge_ties", "group"))
regression <- function(spec) {
  d <- complete(D[[spec[1]]], spec[-1])
  for (v in spec[-1]) if (is.character(d[[v]])) d[[v]] <- factor(d[[v]], sort(unique(d[[v]]), method = "radix"))
  out <- list()
  for (m in setdiff(METHODS, "PM")) for (t in c("z", "hksj")) {
    r <- fit(d, m, TESTS[[t]], mods = reformulate(spec[-1]))
    out[[paste(m, t)]] <- list(coef = num(r$beta), se = num(r$se), ci_low = num(r$ci.lb),
      ci_high = num(r$ci.ub), p = num(r$pval), tau2 = num(r$tau2), i2 = num(r$I2),
      r2 = if (m == "EE") NULL else num(r$R2), qm = num(r$QM), p_moderators = num(r$QMp),
      q_residual = num(r$QE), p_residual = num(r$QEp))
  }
  list(data = spec[1], moderators = spec[-1], fits = out)
}
SUBGROUPS <- list(c("bcg", "group"), c("curtis1998_smd", "group2"), c("lehmann2018_smd", "group"),
  c("besson2016_smd", "group"), c("raudenbush1985", "group"), c("hackshaw1998", "group"),
  c("assink2016", "group"), c("mcdaniel1994", "group"), c("pignon2000", "group"),
  c("baskerville2012", "group"), c("linde2016", "group"), c("edge_ties", "group"))
subgroups <- function(spec) {
  d <- complete(D[[spec[1]]], spec[2])
  out <- list()
  for (m in c("REML", "DL", "EE")) {
    levels <- sort(unique(d[[spec[2]]]), method = "radix")
    fits <- lapply(levels, function(l) {
      s <- d[d[[spec[2]]] == l, ]
      if (nrow(s) < 2) NULL else fit(s, m)
    })
    ok <- !sapply(fits, is.null)
    e <- data.frame(yi = sapply(fits[ok], function(f) num(f$beta)),
                    vi = sapply(fits[ok], function(f) f$se^2))
    between <- fit(e, "EE")
    out[[m]] <- list(level = levels[ok], k = sapply(fits[ok], function(f) f$k), estimate = e$yi,
                     se = sqrt(e$vi), tau2 = sapply(fits[ok], function(f) f$tau2),
                     i2 = sapply(fits[ok], function(f) f$I2),
                     q_between = between$QE, df = between$k - 1, p_between = between$QEp)
  }
  list(data = spec[1], by = spec[2], fits = out)
}

# ---------------------------------------------------------------- influence
INFLUENCE <- c("bcg", "raudenbush1985", "curtis1998_smd", "normand1999_md", "gibson2002_smd",
  "michael2013_smd", "dagostino1998_smd", "hackshaw1998", "baskerville2012", "molloy2014",
  "lau1992", "egger2001", "edge_k3", "edge_tau2_zero", "edge_ties")
influences <- function(name) {
  d <- D[[name]]
  out <- list()
  for (m in c("REML", "DL", "EE")) {
    r <- fit(d, m)
    i <- influence(r)
    l <- leave1out(r, digits = 15)
    cu <- cumul(r, digits = 15)
    pdf(NULL); bj <- baujat(r); dev.off()
    out[[m]] <- list(
      diagnostics = list(rstudent = num(i$inf$rstudent), dffits = num(i$inf$dffits),
        cook = num(i$inf$cook.d), cov_ratio = num(i$inf$cov.r), tau2_deleted = num(i$inf$tau2.del),
        q_deleted = num(i$inf$QE.del), hat = num(i$inf$hat), weight = num(i$inf$weight),
        dfbetas = num(i$dfbs[[1]]), influential = as.logical(i$is.infl)),
      leave_one_out = list(estimate = num(l$estimate), se = num(l$se), ci_low = num(l$ci.lb),
        ci_high = num(l$ci.ub), p_effect = num(l$pval), q = num(l$Q), p_heterogeneity = num(l$Qp),
        tau2 = num(l$tau2), i2 = num(l$I2), h2 = num(l$H2)),
      cumulative = list(estimate = num(cu$estimate), se = num(cu$se), ci_low = num(cu$ci.lb),
        ci_high = num(cu$ci.ub), p_effect = num(cu$pval), q = num(cu$Q), tau2 = num(cu$tau2),
        i2 = num(cu$I2)),
      baujat = list(x = num(bj$x), y = num(bj$y)))
    if (m == "EE") out[[m]]$leave_one_out$tau2 <- NULL
    if (m == "EE") out[[m]]$cumulative$tau2 <- NULL
  }
  l <- leave1out(fit(d, "REML", "knha"), digits = 15)
  out$REML$leave_one_out_hksj <- list(se = num(l$se), ci_low = num(l$ci.lb),
                                      ci_high = num(l$ci.ub), p_effect = num(l$pval))
  list(data = name, fits = out)
}
goshes <- function(name) {
  d <- D[[name]]
  out <- list()
  for (m in c("REML", "DL", "EE")) {
    g <- gosh(fit(d, m), progbar = FALSE)
    out[[m]] <- list(estimate = num(g$res$estimate), q = num(g$res$QE), i2 = num(g$res$I2),
                     tau2 = num(g$res$tau2))
    if (m == "EE") out[[m]]$tau2 <- NULL
  }
  list(data = name, rows = which(TRUE & seq_len(nrow(d)) > 0),
       member = apply(1 * g$incl, 1, paste, collapse = ""), fits = out)
}

# ---------------------------------------------------------------- small-study effects
SMALL <- c("bcg", "raudenbush1985", "curtis1998_smd", "curtis1998_rom", "normand1999_smd",
  "gibson2002_smd", "michael2013_smd", "dagostino1998_smd", "lehmann2018_smd", "hackshaw1998",
  "bangertdrowns2004", "baskerville2012", "begg1989", "molloy2014", "mcdaniel1994", "lau1992",
  "egger2001", "li2007", "pignon2000", "assink2016", "edge_ties", "edge_k3")
step_fit <- function(d, step, alternative) {
  r <- fit(d, "ML")
  # From several starts; the highest likelihood counts. nlminb refuses much tighter than this.
  best <- NULL
  for (delta in c(0.2, 1, 3)) for (t2 in c(0.3, 1) * max(r$tau2, 0.01 * mean(d$vi)))
    for (tol in c(1e-14, 1e-12, 1e-10)) {
      s <- try(suppressWarnings(selmodel(r, type = "stepfun", steps = step,
        alternative = alternative, delta = c(1, NA), control = list(delta.init = delta,
          tau2.init = t2, optimizer = "nlminb", rel.tol = tol, iter.max = 5000,
          eval.max = 10000))), silent = TRUE)
      if (inherits(s, "try-error")) next
      if (is.null(best) || s$ll > best$ll) best <- s
      break
    }
  if (is.null(best)) return(NULL)
  list(step = step, alternative = alternative, estimate = num(best$beta), se = num(best$se),
       tau2 = num(best$tau2), delta = num(best$delta)[2], loglik = num(best$ll),
       statistic = num(best$LRT), p = num(best$LRTp))
}
small <- function(name) {
  d <- D[[name]]
  egger <- regtest(d$yi, vi = d$vi, model = "lm", predictor = "sei")
  begg <- suppressWarnings(ranktest(d$yi, vi = d$vi))
  fills <- list()
  for (m in c("REML", "DL", "EE")) for (e in c("L0", "R0", "Q0")) for (s in c("auto", "left", "right")) {
    r <- fit(d, m)
    t <- try(if (s == "auto") trimfill(r, estimator = e, control = tight(d$yi)) else
             trimfill(r, estimator = e, side = s, control = tight(d$yi)), silent = TRUE)
    if (inherits(t, "try-error")) next
    fills[[paste(m, e, s)]] <- list(k0 = t$k0, side = t$side, se_k0 = num(t$se.k0), estimate = num(t$beta),
      se = num(t$se), ci_low = num(t$ci.lb), ci_high = num(t$ci.ub), tau2 = num(t$tau2))
  }
  alternative <- if (sum(d$yi / d$vi) > 0) "greater" else "less"
  selection <- list(step_fit(d, 0.025, alternative), step_fit(d, 0.05, alternative))
  excess <- list()
  for (m in c("EE", "REML")) for (t in c("chi2", "exact")) {
    if (t == "exact" && nrow(d) > 14) next
    x <- tes(fit(d, m), test = t, rel.tol = 1e-12, find.lim = FALSE, progbar = FALSE)
    excess[[paste(m, t)]] <- list(observed = x$O, expected = x$E, statistic = num(x$X2), p = num(x$pval))
  }
  out <- list(data = name,
    egger = list(statistic = num(egger$zval), df = num(egger$dfs), p = num(egger$pval),
                 limit = num(egger$est)),
    begg = list(statistic = num(begg$tau), p = num(begg$pval)),
    trim_and_fill = fills, selection = Filter(Negate(is.null), selection), excess = excess)
  if ("n_treated" %in% names(d)) {
    d$inverse <- 1 / (d$n_treated + d$n_control)
    d$root <- sqrt(1 / d$n_treated + 1 / d$n_control)
    s <- summary(lm(yi ~ root, d, weights = 1 / root^2))$coefficients
    out$pustejovsky <- list(slope = s[2, 1], se = s[2, 2], statistic = s[2, 3], p = s[2, 4])
    doleman <- list()
    for (first in c("mixed", "weighted", "ols")) for (w in c("none", "variance", "n")) {
      weights <- switch(w, none = rep(1, nrow(d)), variance = 1 / d$vi, n = 1 / d$inverse)
      d$residual <- switch(first,
        mixed = num(resid(fit(d, "REML", mods = ~ mean_control))),
        weighted = resid(lm(yi ~ mean_control, d, weights = 1 / d$vi)),
        ols = resid(lm(yi ~ mean_control, d)))
      s <- summary(lm(residual ~ inverse, d, weights = weights))$coefficients
      doleman[[paste(first, w)]] <- list(slope = s[2, 1], se = s[2, 2], statistic = s[2, 3], p = s[2, 4])
    }
    out$doleman <- doleman
  }
  out
}

# ---------------------------------------------------------------- dependence
MULTILEVEL <- c("konstantopoulos2011", "assink2016", "knapp2017", "riley2003", "curtis1998_smd",
                "kalaian1996", "tannersmith2016", "lehmann2018_smd", "dagostino1998_smd",
                "besson2016_smd", "crede2010")
RHO <- c(0, 0.5)
mv <- function(d, V, sigma2 = c(NA, NA)) {
  run <- function(...) rma.mv(yi, V, random = ~ 1 | study / row, data = d, sigma2 = sigma2,
                              digits = 15, ...)
  # nlminb calls the last digits "false convergence": ask for as much as it grants, then polish.
  for (tol in c(1e-14, 1e-12, 1e-10)) {
    nl <- list(optimizer = "nlminb", rel.tol = tol, iter.max = 5000, eval.max = 10000)
    r <- try(run(control = nl), silent = TRUE)
    if (!inherits(r, "try-error")) break
  }
  start <- pmax(r$sigma2, 1e-10)
  for (o in list(c(nl, list(sigma2.init = start)),
                 list(optimizer = "optim", optmethod = "Nelder-Mead", reltol = 1e-15, maxit = 10000,
                      sigma2.init = start))) {
    s <- try(run(control = o), silent = TRUE)
    if (!inherits(s, "try-error") && num(logLik(s)) >= num(logLik(r))) r <- s
  }
  r
}
multilevel <- function(name) {
  d <- D[[name]]
  d$row <- seq_len(nrow(d))
  same <- outer(d$study, d$study, "==")
  out <- list()
  for (rho in RHO) {
    V <- rho * same * sqrt(outer(d$vi, d$vi))
    diag(V) <- d$vi
    r <- mv(d, V)
    W <- solve(V)
    X <- model.matrix(r)
    P <- W - W %*% X %*% solve(t(X) %*% W %*% X) %*% t(X) %*% W
    typical <- (nrow(d) - 1) / sum(diag(P))
    if (nrow(d) <= 120) {                       # beyond that R needs hours
      # confint refits with the fit's own control: one that always converges.
      loose <- rma.mv(yi, V, random = ~ 1 | study / row, data = d, digits = 15,
                      control = list(optimizer = "nlminb", rel.tol = 1e-10))
      ci <- confint(loose, digits = 15, control = list(tol = 1e-11))
      bounds <- t(sapply(unclass(ci)[1:2], function(x) num(x$random[1, 2:3])))
    } else bounds <- NULL
    cr <- coef_test(r, vcov = "CR2", cluster = d$study)
    cc <- conf_int(r, vcov = "CR2", cluster = d$study)
    lrt <- sapply(list(c(0, NA), c(NA, 0)), function(s) num(logLik(mv(d, V, s))))
    pr <- predict(r, digits = 15)
    out[[as.character(rho)]] <- list(
      estimate = num(r$beta), se = num(r$se), ci_low = num(r$ci.lb), ci_high = num(r$ci.ub),
      p_effect = num(r$pval), sigma2_study = r$sigma2[1], sigma2_experiment = r$sigma2[2],
      loglik = num(logLik(r)), loglik_without = lrt, q = r$QE, p_heterogeneity = r$QEp,
      i2_study = 100 * r$sigma2[1] / (sum(r$sigma2) + typical),
      i2_experiment = 100 * r$sigma2[2] / (sum(r$sigma2) + typical),
      pi_low = num(pr$pi.lb), pi_high = num(pr$pi.ub),
      profile_study = bounds[1, ], profile_experiment = bounds[2, ],
      cr2 = list(se = cr$SE, df = num(cr[["df_Satt"]]), p_effect = num(cr[["p_Satt"]]),
                 ci_low = num(cc$CI_L), ci_high = num(cc$CI_U)))
  }
  robust <- list()
  for (m in c("REML", "DL", "EE")) {
    r <- fit(d, m)
    cr <- coef_test(r, vcov = "CR2", cluster = d$study)
    cc <- conf_int(r, vcov = "CR2", cluster = d$study)
    robust[[m]] <- list(se = cr$SE, df = num(cr[["df_Satt"]]), p_effect = num(cr[["p_Satt"]]),
                        ci_low = num(cc$CI_L), ci_high = num(cc$CI_U))
  }
  list(data = name, three_level = out, cluster_robust = robust)
}
# Section 5's covariance for a shared control, each pair with its own pooled SD or one SD for all.
shared <- function(name) {
  d <- D[[name]]
  d$row <- seq_len(nrow(d))
  out <- list()
  for (kind in c("pair", "study")) {
    V <- diag(d$vi)
    for (g in unique(d$control_group)) {
      i <- which(d$control_group == g)
      if (length(i) < 2) next
      nc <- outer(d$n_control[i], d$n_control[i], pmax)   # some controls lose animals
      m <- d$n_treated[i] + d$n_control[i] - 2
      block <- if (kind == "pair") 1 / nc + outer(d$yi[i] / m, d$yi[i] / m) * (nc - 1) / 2 else
        1 / nc + outer(d$yi[i], d$yi[i]) / (2 * (nc + sum(d$n_treated[i])))
      diag(block) <- d$vi[i]
      V[i, i] <- block
    }
    V[outer(d$study, d$study, "!=")] <- 0
    out[[kind]] <- list(row_sums = rowSums(V), log_determinant = num(determinant(V)$modulus))
  }
  list(data = name, covariance = out)
}

# ---------------------------------------------------------------- effect sizes
EFFECTS <- c("curtis1998", "normand1999", "gibson2002", "michael2013", "dagostino1998",
             "lehmann2018", "besson2016")
effects <- function(name) {
  d <- D[[paste0(name, "_smd")]]
  one <- function(measure, ...) {
    e <- escalc(measure, n1i = d$n_treated, m1i = d$mean_treated, sd1i = d$sd_treated,
                n2i = d$n_control, m2i = d$mean_control, sd2i = d$sd_control, ...)
    list(effect = num(e$yi), variance = num(e$vi))
  }
  same <- d$mean_treated * d$mean_control > 0
  out <- list(SMD_metafor = one("SMD"), SMD_unbiased = one("SMD", vtype = "UB"),
              SMD_stata_exact = one("SMD", vtype = "LS2"), MD = one("MD"))
  if (all(same)) out$ROM <- one("ROM")
  list(data = paste0(name, "_smd"), measures = out)
}

step <- function(label, names, f) {
  lapply(names, function(n) {
    message(format(Sys.time(), "%T"), " ", label, " ", paste(n, collapse = " "))
    f(n)
  })
}
result <- list(
  versions = list(R = paste(R.version$major, R.version$minor, sep = "."),
                  metafor = as.character(packageVersion("metafor")),
                  metadat = as.character(packageVersion("metadat")),
                  clubSandwich = as.character(packageVersion("clubSandwich"))),
  data = D,
  effects = step("effects", EFFECTS, effects),
  pooled = step("pooled", names(D), pooled),
  regressions = step("regression", REGRESSIONS, regression),
  subgroups = step("subgroups", SUBGROUPS, subgroups),
  influence = step("influence", INFLUENCE, influences),
  gosh = step("gosh", c("normand1999_smd", "berkey1998_al", "hine1989", "edge_tau2_zero"), goshes),
  small_study = step("small", SMALL, small),
  multilevel = step("multilevel", MULTILEVEL, multilevel),
  shared_control = step("shared", "besson2016_smd", shared))
write(toJSON(result, digits = NA, na = "null", null = "null", auto_unbox = TRUE, dataframe = "columns"),
      file.path(here, "reference.json"))
message(format(Sys.time(), "%T"), " done")
