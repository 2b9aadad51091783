#!/usr/bin/python3
"""Take pictures of every page in every state, from a site of its own:

	tools/pictures.py FOLDER [STATE|LANGUAGE|LOOK]...
	tools/pictures.py --keep	those of doc/pictures

Without a state all are taken, and so it is with languages and looks.
The programs are taken from $BUILD, else from build/.  A picture is called
STATE-LANGUAGE-LOOK.png."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "tests", "e2e"))

# The imports need the path above.
from gallery import Gallery  # noqa: E402
from harness import Secrets  # noqa: E402
from states import LANGUAGES, States  # noqa: E402

# How a page is looked at: width, height, medium, what the person prefers.
LIGHT = {"prefers_color_scheme": "light"}
DARK = {"prefers_color_scheme": "dark"}
LOOKS = {
    "360-light": (360, 740, "", LIGHT), "360-dark": (360, 740, "", DARK),
    "768-light": (768, 1000, "", LIGHT), "768-dark": (768, 1000, "", DARK),
    "1440-light": (1440, 900, "", LIGHT), "1440-dark": (1440, 900, "", DARK),
    "zoom": (320, 256, "", LIGHT),      # 1280 by 1024 at 400 %
    "contrast": (768, 1000, "", {"forced_colors": "active", **LIGHT}),
    "more": (768, 1000, "", {"prefers_contrast": "more", **LIGHT}),
    "print": (720, 1000, "print", LIGHT),
}
# Another language is looked at like this.
ABROAD = ("360-light", "1440-dark")
CHOSEN = ("en", "de", "ja", "ar", "he")
KEPT = (("sign-in", "sign-in", "en", "readme-light"),
        ("sign-in-dark", "sign-in", "en", "readme-dark"),
        ("desk", "desk", "en", "1440-light"))
FOR_KEPT = {"readme-light": (640, 640, "", LIGHT),
            "readme-dark": (640, 640, "", DARK)}


def take(gallery, folder, name, language, look, called):
    width, height, medium, features = {**LOOKS, **FOR_KEPT}[look]
    gallery.size(width, height)
    gallery.media(medium, **features)
    gallery.show("/%s/%s" % (language, name))
    gallery.picture(os.path.join(folder, called + ".png"), width)


def main(arguments):
    if not arguments:
        sys.exit(__doc__)
    keep = arguments == ["--keep"]
    folder = os.path.join(SOURCE, "doc", "pictures") if keep else arguments[0]
    words = arguments[1:]
    languages = [w for w in words if w in LANGUAGES]
    looks = [w for w in words if w in LOOKS]
    names = [w for w in words if w not in languages + looks]
    os.makedirs(folder, exist_ok=True)
    chosen = ("en",) if keep else languages or CHOSEN
    site = States(Secrets(), chosen)
    gallery = None
    try:
        site.start()
        gallery = Gallery()
        for language in chosen:
            answers = site.all(language)
            gallery.add(language, answers)
            gallery.add_files(site.reader(), answers["sign-in"].page)
            if keep:
                break
            for name in names or answers:
                for look in looks or (LOOKS if language == "en" else ABROAD):
                    take(gallery, folder, name, language, look,
                         "%s-%s-%s" % (name, language, look))
        for called, name, language, look in KEPT if keep else ():
            take(gallery, folder, name, language, look, called)
    finally:
        if gallery is not None:
            gallery.close()
        problems = site.close()
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main(sys.argv[1:])
