"""The screen: follows a run's journal and sends its engine commands; knows the model and the engine's client only."""
