"""Hostile events among good ones: the worker stays up, each bad one is a dead letter, each good one applied."""
