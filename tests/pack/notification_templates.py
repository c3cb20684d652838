"""All notification templates in one folder that amtool takes: those of Alertmanager, and DingTalk's with Alertmanager's functions."""
import re
import shutil


def for_amtool(root, folder):
    shipped = root / "dashboards" / "alertmanager"
    for path in (shipped / "templates").glob("*.tmpl"):
        shutil.copy(path, folder)

    def as_pattern(match):
        return f"reReplaceAll `{re.escape(match[1])}` " if match[1] != "`" else 'reReplaceAll "`" '
    text = re.sub(r'\breplace "(.+?)" ', as_pattern, (shipped / "dingtalk.tmpl").read_text())
    (folder / "dingtalk.tmpl").write_text(text.replace("regexMatch ", "match "))
    return folder
