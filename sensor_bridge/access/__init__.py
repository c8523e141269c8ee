"""Who may use the broker and the page: tokens, and what protects them."""
