"""How far Redis has come: a lane's place, its marks, its keys."""
