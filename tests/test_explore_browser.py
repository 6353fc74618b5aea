"""The explorer's page in a real browser: each tab does its job, and no request leaves the machine.

On a tiny model with hostile input, and once on the default model, with few sentences.
"""

import json

import pytest

import interlingua as il
from browser import errors_of, needs_browser, open_browser, requests_of, wait
from interlingua.explore import Choice, edit_of, open_session
from interlingua.languages import FLORES_LANGUAGES, language_name

pytest.importorskip("gradio", reason="the extra `explore` is not installed")
pytestmark = [pytest.mark.slow, needs_browser]
SCRIPT = '<script>document.title = "run"</script> & <img src=x onerror="document.title = 1">'


@pytest.fixture(scope="module")
def page(llama, corpus_folder, tmp_path_factory):
    from interlingua.explore.page.serve import serve

    folder = tmp_path_factory.mktemp("explored")
    page = serve(open_session(llama, corpus=str(corpus_folder), texts="starter", k=20, folder=folder), browser=False)
    yield page, folder
    page.close()


@pytest.fixture(scope="module")
def browser(page):
    driver = open_browser()
    driver.get(page[0].local_url)
    wait(driver, "document.querySelector('#write')")
    yield driver
    driver.quit()


def find(browser, selector):
    found = browser.find_element("css selector", selector)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
    return found


def fill(browser, selector, text):
    field = find(browser, f"{selector} textarea")
    field.clear()
    field.send_keys(text)
    wait(browser, f"document.querySelector('{selector} textarea').value.length === {len(text)}")


def open_tab(browser, title):
    next(tab for tab in browser.find_elements("css selector", "button[role=tab]") if tab.text == title).click()


def written(browser, name):
    return browser.execute_script(f"return document.querySelector('#text-{name} textarea').value")


def test_it_writes_in_three_conditions_and_again_when_a_slider_moves(browser):
    fill(browser, "#prompt", SCRIPT)
    find(browser, "#write").click()
    wait(browser, "document.querySelector('#note-random').innerText.includes('perplexity of Spanish text')")
    before = written(browser, "steered")
    assert before
    field = find(browser, "#k input[type=number]")
    field.clear()
    field.send_keys("100\t")
    text = "document.querySelector('#text-steered textarea').value"
    wait(browser, f"{text} && {text} !== {json.dumps(before)}")
    wait(browser, "document.querySelector('#note-random').innerText.includes('perplexity of Spanish text')")
    assert browser.title.startswith("interlingua")


def test_the_other_control_is_written_when_it_is_chosen(browser):
    before = {name: written(browser, name) for name in ("original", "steered", "random")}
    find(browser, "#control input[value=own-mean]").click()
    wait(browser, "document.querySelector('#note-random').innerText.includes('by their own responses')")
    wait(browser, "document.querySelector('#note-random').innerText.includes('perplexity of Spanish text')")
    after = {name: written(browser, name) for name in before}
    assert [name for name in before if before[name] != after[name]] == ["random"]


def test_a_prompt_that_is_too_long_is_answered_in_words(browser):
    browser.execute_script(
        "const box = document.querySelector('#prompt textarea'); box.value = 'a'.repeat(10000);"
        "box.dispatchEvent(new Event('input', {bubbles: true}));"
    )
    find(browser, "#write").click()
    wait(browser, "document.body.innerText.includes('the prompt has 10,000 characters')")


def test_it_shows_who_finds_whom_as_text_in_any_script(browser):
    open_tab(browser, "Align")
    fill(browser, "#sentences", f"the cat\nel gato\n\n{SCRIPT}\nשלום עולם\nパンを食べる")
    find(browser, "#find").click()
    wait(browser, "document.querySelectorAll('#map .scatterlayer .trace').length")
    shown = wait(browser, "document.querySelector('#nearest').innerText.includes('onerror') && "
                 "document.querySelector('#nearest').innerText")  # fmt: skip
    assert SCRIPT in shown
    assert "שלום עולם" in shown
    assert browser.title.startswith("interlingua")


def test_a_click_shows_what_a_neuron_answers_and_takes_it_out_of_the_edit(browser):
    open_tab(browser, "Neurons")
    cells = "[...document.querySelectorAll('#experts [role=gridcell]')]"
    wait(browser, f"{cells}.length > 9 && {cells}[0].innerText.trim() === '✓'")
    find(browser, "#experts [role=gridcell]:nth-child(2)").click()
    wait(browser, "document.querySelectorAll('#answers .barlayer .trace').length === 4")
    find(browser, "#experts [role=gridcell]:nth-child(1)").click()
    wait(browser, "document.querySelector('#hand').innerText.includes('1 removed')")
    wait(browser, f"{cells}[0].innerText.trim() === ''")


def test_the_edit_is_saved_as_it_was_chosen(browser, page):
    open_tab(browser, "Export")
    wait(browser, "document.querySelector('#python').innerText.includes('with_ranking')")
    assert "rank_by('random')" in browser.execute_script("return document.querySelector('#python').innerText")
    find(browser, "#save").click()
    wait(browser, "document.querySelector('#saved textarea').value")
    assert len(il.Intervention.from_pretrained(page[1] / "set-to-mean-es-k100")) == 99


def test_no_request_leaves_the_machine(browser, page):
    asked = requests_of(browser)
    assert asked
    assert [url for url in asked if not url.startswith(page[0].local_url)] == []
    assert errors_of(browser) == []


def test_only_this_machine_is_answered(page):
    import requests

    address = page[0].local_url
    assert address.startswith("http://127.0.0.1:")
    assert requests.get(address, headers={"Host": "elsewhere.example"}, timeout=10).status_code == 400
    assert "default-src 'self'" in requests.get(address, timeout=10).headers["Content-Security-Policy"]


@pytest.fixture(scope="module")
def few_sentences(tmp_path_factory):
    """Return the first sentences of the bundled corpus, as a folder."""
    folder = tmp_path_factory.mktemp("few")
    for split, limit in (("dev", 16), ("devtest", 3)):
        sentences = il.open_corpus("starter").parallel(split, languages=["en", "es", "ja"], limit=limit)
        (folder / split).mkdir()
        for code in sentences.languages:
            (folder / split / f"{code}.txt").write_text("\n".join(sentences[code]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.real_model
def test_each_tab_does_its_job_on_the_default_model(real_models, few_sentences, tmp_path, monkeypatch):
    from interlingua.explore.page.serve import serve

    monkeypatch.setattr("interlingua.explore.steering.PERPLEXITY_CHARACTERS", 200)
    session = open_session(real_models("auto"), corpus=str(few_sentences), texts="starter", folder=tmp_path)
    page, driver = serve(session, browser=False), open_browser()
    try:
        driver.get(page.local_url)
        wait(driver, "document.querySelector('#write')")
        fill(driver, "#prompt", "The weather today")
        tokens = find(driver, "#tokens input")
        tokens.clear()
        tokens.send_keys("12\t")
        find(driver, "#write").click()
        wait(driver, "document.querySelector('#note-random').innerText.includes('perplexity of Spanish text')", 120)
        assert len({written(driver, name) for name in ("original", "steered", "random")} - {""}) == 3
        for name in ("original", "steered", "random"):
            language, loss = driver.find_elements("css selector", f"#note-{name} b")
            assert language.text in {*map(language_name, FLORES_LANGUAGES), "no language"}
            assert float(loss.text) > 0

        open_tab(driver, "Align")
        find(driver, "#find").click()
        counts = wait(driver, "document.querySelector('#found').innerText.match(/\\d+ of 9/g)", 120)
        assert len(counts) == 4
        assert int(counts[3].split()[0]) > 1  # behind the aligner
        wait(driver, "document.querySelectorAll('#map .scatterlayer .trace').length === 4 * 3")

        open_tab(driver, "Neurons")
        wait(driver, "document.querySelectorAll('#experts [role=gridcell]').length > 9")
        find(driver, "#experts [role=gridcell]:nth-child(2)").click()
        wait(driver, "document.querySelectorAll('#answers .barlayer .trace').length === 3", 60)

        open_tab(driver, "Export")
        wait(driver, "document.querySelector('#python').innerText.includes('gemma3-270m')")
        find(driver, "#save").click()
        wait(driver, "document.querySelector('#saved textarea').value")
        saved = il.Intervention.from_pretrained(tmp_path / "set-to-mean-es-k2000")
        assert saved.content_hash() == edit_of(session, Choice(session.targets[0], k=session.k)).content_hash()

        asked = requests_of(driver)
        assert asked
        assert [url for url in asked if not url.startswith("http://127.0.0.1:")] == []
        assert errors_of(driver) == []
    finally:
        driver.quit()
        page.close()
