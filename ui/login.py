"""Who is there: nobody in particular, or whoever logged in, where the settings ask for that."""

import hashlib
from pathlib import Path

import streamlit as st

from assistant.config import Settings
from ui import safe


def required(settings: Settings) -> bool:
    """Tell whether one has to log in and has not."""
    return settings.login is not None and not st.user.get("is_logged_in")


def folder(settings: Settings) -> Path:
    """Return the folder in the home that holds what is one user's own."""
    if settings.login is None:
        return Path()
    who = f"{st.user['iss']} {st.user['sub']}"
    return Path("users") / hashlib.sha256(who.encode()).hexdigest()[:32]


def page() -> None:
    """Draw what there is to see before one has logged in."""
    st.title("paper-assistant")
    st.markdown("Who you are decides which conversations are yours.")
    st.button("Log in", type="primary", icon=":material/login:", on_click=st.login)


def draw_user(settings: Settings) -> None:
    """Draw who is logged in, and the way out."""
    if settings.login is None:
        return
    with st.sidebar:
        name = st.user.get("email") or st.user.get("name") or "Logged in"
        st.caption(safe.short(str(name), most=40))
        st.button("Log out", icon=":material/logout:", type="tertiary", on_click=st.logout)
