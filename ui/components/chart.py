"""Charts of measures: means as points, their 95 % intervals as lines."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

Points = Sequence[Mapping[str, str | float | None]]
"""Each has ``what``, ``mean``, ``low`` and ``high``."""

_ROW, _HEIGHT = 30, 260  # pixels


def slices(points: Points, *, share: bool, alt: str) -> None:
    """Draw a row for each group of cases."""
    height = _ROW * (len(points) + 2)
    _draw(points, group="y", value="x", share=share, height=height, alt=alt)


def history(points: Points, *, share: bool, alt: str) -> None:
    """Draw a column for each run."""
    _draw(points, group="x", value="y", share=share, height=_HEIGHT, alt=alt)


def _draw(points: Points, *, group: str, value: str, share: bool, height: int, alt: str) -> None:
    scale = {"domain": [0, 1]} if share else {"zero": True}

    def channel(field: str) -> dict[str, Any]:
        return {"field": field, "type": "quantitative", "scale": scale, "title": None}

    shown: dict[str, Any] = {
        group: {
            "field": "what",
            "type": "nominal",
            "sort": None,
            "title": None,
            "axis": {"labelLimit": 220, "labelAngle": 0, "labelOverlap": "greedy"},
        },
    }
    hints = [{"field": field} for field in ("what", "mean", "low", "high")]
    st.vega_lite_chart(
        list(points),
        {
            "height": height,
            "encoding": shown,
            "layer": [
                {
                    "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.5},
                    "encoding": {value: channel("low"), f"{value}2": {"field": "high"}},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 80},
                    "encoding": {value: channel("mean"), "tooltip": hints},
                },
            ],
        },
        alt=alt,
    )
