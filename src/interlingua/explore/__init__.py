"""A local page on which a model is steered, aligned and looked into: nothing leaves the machine.

What the page does is in functions of a `Session`, which know nothing of a page: `steering`, `neighbours`, `neurons` and
`exporting`; `edit` is the intervention that all of them speak of. `opening` makes the session, of a model or of a
finished run. The page itself, in Gradio (extra `explore`), is in `page/`.
"""

from interlingua.explore.edit import KINDS, Choice, control_of, edit_of
from interlingua.explore.opening import open_session, session_of_run
from interlingua.explore.session import Session

__all__ = ["KINDS", "Choice", "Session", "control_of", "edit_of", "open_session", "session_of_run"]
