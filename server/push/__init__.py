"""Web Push: rings browsers whose page is closed, and takes the notification back."""
