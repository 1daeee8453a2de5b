"""The domain: panel, features, models, backtest, scores, gate; no framework, file or clock."""
