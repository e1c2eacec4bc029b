"""A password of reserved characters works, also when it is changed, and is shown nowhere."""

from urllib.parse import quote, quote_plus

from tests.database.site import PASSWORD, ROLE, Figures, Site, Size, new_site, url_at
from tests.database.truth import check

WRONG = f"wrong-{PASSWORD}"


def password(size: Size) -> Figures:
    """Serve, lose the server, and be refused; then search all logs, files and answers for the password."""
    with new_site(size) as site:
        names = site.start_with_jobs(size.jobs)
        site.cluster.stop()
        told = [site.unready(), site.refusal("refused")[0]]
        site.cluster.start()
        site.wait_until_ready()
        site.cluster.execute(f"ALTER ROLE {ROLE} PASSWORD 'another'")
        site.cluster.restart()
        told += [site.unready(), site.refusal("refused")[0]]
        assert "password authentication failed" in told[-1], told[-1]
        told.append(_refused_start(site))
        site.cluster.execute(f"ALTER ROLE {ROLE} PASSWORD '{PASSWORD}'")
        site.wait_until_ready()
        found = check(site, [*names, site.register("afterwards")])
        told.append(site.told())
    _check_hidden(told)
    return {"characters searched for the password": sum(map(len, told)), **found}


def _refused_start(site: Site) -> str:
    """Start another service with a wrong password; return what it has written."""
    other = site.new_service(DATABASE_URL=url_at(site.cluster.port, WRONG))
    other.begin()
    code = other.process.wait(60)
    text = other.log_file.read_text()
    assert code == 1, text
    assert "password authentication failed" in text, text
    return text


def _check_hidden(told: list[str]) -> None:
    forms = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), quote_plus(PASSWORD), ascii(PASSWORD).strip("'"))
    found = [(form, text[max(0, text.index(form) - 200) :][:400]) for form in forms for text in told if form in text]
    assert not found, found[:2]
