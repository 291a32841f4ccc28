"""What each kind of model finds, and how it is deployed, predicted, evaluated and compared with its export."""
