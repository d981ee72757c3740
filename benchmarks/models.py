"""Topic models by the name of their learner."""

from pyunlearn import AnchorTopicModel, TopicModel

MODELS = {"factor": TopicModel, "anchor": AnchorTopicModel}
