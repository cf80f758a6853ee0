"""PROMISES: what a project file declares: sources, feature views, request features, models."""
