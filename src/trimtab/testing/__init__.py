"""Fakes of every port and a conformance suite per port, for us and for third parties."""
