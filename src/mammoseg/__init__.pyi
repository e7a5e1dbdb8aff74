from mammoseg.api import Model as Model
from mammoseg.api import Result as Result
from mammoseg.api import load as load
from mammoseg.data.manifest import Manifest as Manifest
from mammoseg.data.manifest import load_manifest as load_manifest
from mammoseg.evaluation.evaluate import evaluate as evaluate
from mammoseg.records.finding import Finding as Finding
from mammoseg.training.recipes import load_recipe as load_recipe
from mammoseg.training.run import train as train

__version__: str
