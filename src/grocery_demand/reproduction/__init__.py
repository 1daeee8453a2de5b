"""A recorded run made again, from its code, data and parameters, and held against the first."""
