"""证件, 手机, 姓名: what is accepted, and in which one written form (M3, B16)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from hospital import identity, masking
from hospital.identity import BadDocument, BadPhone, read_document, read_name, read_phone

SIGNS = "0123456789X"
VALID = {
    "11010519491231002X": ("id_card", date(1949, 12, 31), "F"),
    "440524188001010014": ("id_card", date(1880, 1, 1), "M"),
    "810000199001010019": ("residence_permit", date(1990, 1, 1), "M"),
    "830000198506150024": ("residence_permit", date(1985, 6, 15), "F"),
    "911101198001010010": ("foreign_permanent", date(1980, 1, 1), "M"),
}


def refused(kind, number):
    with pytest.raises(BadDocument):
        read_document(kind=kind, number=number)
    return True


@pytest.mark.parametrize("number", VALID)
def test_a_valid_card_tells_birth_date_and_sex(number):
    kind, born, sex = VALID[number]
    paper = read_document(kind=kind, number=number)
    assert (paper.checked, paper.birth_date, paper.sex, paper.last4) == (True, born, sex, number[-4:])


@given(number=st.sampled_from(sorted(VALID)), place=st.integers(0, 17), sign=st.sampled_from(SIGNS))
def test_any_one_digit_changed_is_refused(number, place, sign):
    changed = number[:place] + sign + number[place + 1 :]
    if changed != number:
        assert refused(VALID[number][0], changed)


@st.composite
def cards(draw):
    """Numbers as the authority makes them: place, birth date, order, check digit."""
    place = draw(st.integers(110000, 659999))
    born = draw(st.dates(date(1900, 1, 1), date(2026, 11, 1)))
    body = f"{place}{born:%Y%m%d}{draw(st.integers(1, 999)):03d}"
    return body + ric.calc_check_digit(body + "0"), born


@given(card=cards(), place=st.integers(0, 17), sign=st.sampled_from(SIGNS))
def test_every_well_made_card_is_accepted_and_every_slip_of_one_digit_refused(card, place, sign):
    number, born = card
    assert read_document(kind="id_card", number=number).birth_date == born
    changed = number[:place] + sign + number[place + 1 :]
    if changed != number:
        assert refused("id_card", changed)


@given(card=cards(), place=st.integers(0, 16))
def test_two_neighbouring_digits_swapped_are_refused(card, place):
    number, _born = card
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        assert refused("id_card", swapped)


@pytest.mark.parametrize(
    ("kind", "number", "reason"),
    [
        ("id_card", "110105491231002", "15 位旧号码已停用，请用 18 位号码"),
        ("id_card", "1101051949123100", "应为 18 位，末位可以是 X"),
        ("id_card", "110105194912310021", "校验位不符，可能输错了一位"),
        ("id_card", "810000199001010019", "这个号码属于另一种证件：港澳台居民居住证"),
        ("residence_permit", "11010519491231002X", "这个号码属于另一种证件：居民身份证"),
        ("foreign_permanent", "11010519491231002X", "这个号码属于另一种证件：居民身份证"),
        ("id_card", "110105194913310023", "号码里的出生日期不存在"),
        ("passport", "E1", "长度或字符不符合这种证件"),
        ("passport", "护照12345", "长度或字符不符合这种证件"),
    ],
)
def test_a_refused_number_says_why(kind, number, reason):
    if reason == "号码里的出生日期不存在":
        number = number[:17] + ric.calc_check_digit(number)
    with pytest.raises(BadDocument) as refusal:
        read_document(kind=kind, number=number)
    assert refusal.value.sentence == f"证件号码不对：{reason}。"


@pytest.mark.parametrize(
    "typed",
    [" 11010519491231002x ", "110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ", "110105-19491231-002x"],
)
def test_spaces_full_width_and_small_letters_are_one_number(typed):
    assert read_document(kind="id_card", number=typed).number == "11010519491231002X"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("passport", "E12345678"),
        ("household", "110105001234"),
        ("travel_permit", "H1234567800"),
        ("social_card", "A12345678"),
        ("health_card", "6F0A2B9C8D7E"),
    ],
)
def test_documents_without_a_public_check_digit_are_taken_and_marked_unchecked(kind, number):
    assert read_document(kind=kind, number=number).checked is False


def test_the_same_digits_as_another_kind_are_another_document():
    assert identity.document_hash("passport", "12345678") != identity.document_hash("social_card", "12345678")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("13800136210", "13800136210"),
        ("+86 138-0013-6210", "13800136210"),
        ("１３８ ００１３ ６２１０", "13800136210"),
        ("010 6123 4567", "01061234567"),
        ("+852 6123 4567", "+85261234567"),
    ],
)
def test_a_phone_has_one_written_form(typed, kept):
    assert read_phone(typed) == kept


@pytest.mark.parametrize("typed", ["", "abc", "1380013621", "138001362100", "12800136210", "999"])
def test_what_is_no_phone_is_refused(typed):
    with pytest.raises(BadPhone):
        read_phone(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 李 秀英 ", "李秀英"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉．买买提", "阿卜杜拉·买买提"),
        ("Anna  Berg", "Anna Berg"),
    ],
)
def test_a_name_has_one_written_form(typed, kept):
    assert read_name(typed) == kept


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("周志明", "周*明"),
        ("李四", "李*"),
        ("欧阳志明", "欧**明"),
        ("欧阳阿卜杜拉曼", "欧**曼"),
        ("王", "*"),
        ("", ""),
        ("Anna Berg", "A*** B***"),
    ],
)
def test_a_name_is_masked(name, shown):
    assert masking.name(name) == shown


@given(st.text(alphabet="李王张秀英志明建国", min_size=2, max_size=6))
def test_a_masked_name_never_shows_a_middle_and_never_the_whole(name):
    shown = masking.name(name)
    assert len(shown) == min(len(name), 4)  # two stars are enough: a row of them pushes the rest off a phone
    assert shown != name
    assert set(shown[1:-1]) <= {"*"}


@pytest.mark.parametrize(
    ("number", "shown"),
    [("13800136210", "138****6210"), ("01061234567", "****4567"), ("+85261234567", "****4567"), ("", "")],
)
def test_a_phone_is_masked(number, shown):
    assert masking.phone(number) == shown


def test_of_a_document_only_the_last_four_are_shown():
    assert masking.document("002X") == "**** 002X"
