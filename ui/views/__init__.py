"""The pages, a function each. A folder named ``pages`` would be taken for pages of Streamlit's own."""
