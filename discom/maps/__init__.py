"""Pictures of embeddings: projected points, coloured by what is known of each sample."""

from discom.maps.figures import maps, stability

__all__ = ["maps", "stability"]
