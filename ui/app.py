"""The web app's entry: ``assistant ui`` runs it."""

from pathlib import Path

import streamlit as st

from assistant.errors import AssistantError
from ui import login, safe, state
from ui.views import ask, compare, evaluate, library, settings

_ICON = Path(__file__).with_name("icon.svg")


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
    # Before the navigation: an icon that only the page names would be fetched from elsewhere.
    st.set_page_config(page_title="paper-assistant", page_icon=_ICON)
    try:
        found = state.settings()
        if login.required(found):
            doors = [
                st.Page(login.page, title="Log in", url_path=name, default=name == "ask")
                for name in pages
            ]
            st.navigation(doors, position="hidden").run()
            return
        chosen = st.navigation(list(pages.values()))
        # Said once a run: of two layouts that follow each other quickly, a browser may keep the first.
        st.set_page_config(layout="centered" if chosen is pages["ask"] else "wide")
        state.warm_up()
        chosen.run()
        login.draw_user(found)
    except AssistantError as error:
        st.error(safe.plain(str(error)), icon=":material/error:")


main()
