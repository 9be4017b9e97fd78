"""Answers each request with a saying to think about."""

import logging
import random

log = logging.getLogger()
log.setLevel(logging.INFO)

MEDITATIONS = (
    "The river does not hurry, and it arrives.",
    "What you water grows: choose the bed before you fetch the can.",
    "A closed door asks only one thing of you, to look for the window.",
    "Nobody ever regretted the breath they took before answering.",
    "The mountain looks the same from below to those who never climb.",
    "You cannot tidy the whole house today, but you can clear the table.",
    "Listen twice; the second time, listen to what was left out.",
    "Old paths were once somebody's mistake in the tall grass.",
    "The loudest wind moves no stone; the quiet frost splits it.",
    "Carry the lantern low: it is your feet that need the light.",
    "To mend a thing is to learn how it was loved.",
    "Today's small kindness is somebody's only letter.",
    "The bread rises while the baker sleeps.",
    "A question kept warm will hatch by itself.",
    "Put down what you were carrying yesterday; the handles are worn.",
    "Even the tide takes turns.",
    "Enough is a place, and most people drive past it.",
    "If you must count something, count the hours you did not count.",
    "The seed trusts the dark.",
    "Walk at the pace at which you can still greet people.",
    "Anger is a guest: offer it a chair, not the keys.",
    "There is no wrong time to begin the right thing badly.",
    "What the rain said, the garden will repeat in spring.",
    "Rest is not the end of the work; it is the part that sings.",
)


def handler(event, context):
    log.info("meditating for request %s", context.aws_request_id)
    return {"status": "success", "meditation": random.choice(MEDITATIONS)}
