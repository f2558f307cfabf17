"""The web app's entry: ``assistant ui`` runs it."""

from pathlib import Path

import streamlit as st

from assistant.errors import AssistantError
from ui import safe
from ui.views import ask, compare, evaluate, library, settings

_ICON = Path(__file__).with_name("icon.svg")

st.set_page_config(page_title="paper-assistant", page_icon=_ICON, layout="centered")


def main() -> None:
    """Draw the page that the address names; what cannot be done is said in one line."""
    pages = {
        "ask": st.Page(
            ask.page, title="Ask", icon=":material/forum:", url_path="ask", default=True
        ),
        "library": st.Page(
            library.page, title="Library", icon=":material/menu_book:", url_path="library"
        ),
        "compare": st.Page(
            compare.page, title="Compare", icon=":material/table:", url_path="compare"
        ),
        "evaluate": st.Page(
            evaluate.page, title="Evaluate", icon=":material/analytics:", url_path="evaluate"
        ),
        "settings": st.Page(
            settings.page, title="Settings", icon=":material/settings:", url_path="settings"
        ),
    }
    st.session_state["pages"] = pages
    chosen = st.navigation(list(pages.values()))
    try:
        chosen.run()
    except AssistantError as error:
        st.error(safe.plain(str(error)), icon=":material/error:")


main()
