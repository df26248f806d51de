"""How a teacher may have a say in a student's loss. A technique is one file and one entry here."""

from training.techniques.auxiliary import Auxiliary
from training.techniques.direct import Direct
from training.techniques.hard import Hard

TECHNIQUES = {"none": Hard, "direct": Direct, "auxiliary": Auxiliary}
