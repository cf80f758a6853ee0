"""FACE: the page, the API and the metrics of the control plane; reads views, decides nothing."""
