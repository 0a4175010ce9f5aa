"""The recipe of the names classifier: data, network, training, int8 export, figures."""
