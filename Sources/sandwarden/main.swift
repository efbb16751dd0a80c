print("sandwarden")
