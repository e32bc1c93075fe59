"""Forms of accounts."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError, fields, validate, validates_schema

from linkage.accounts import passwords
from linkage.core.forms import FormSchema
from linkage.core.permissions import Role

PASSWORD_FAULTS = {
    "short": _l("A password has at least %(count)d characters.", count=passwords.MIN_LENGTH),
    "long": _l("This password is too long."),
    "common": _l("This password is one of the first that people try."),
    "name": _l("The password must not be the sign-in name."),
    "repeated": _l("This password has too few different characters."),
}


class SignInSchema(FormSchema):
    """Sign-in name or telephone, and password."""

    username = fields.String(required=True, validate=validate.Length(max=200))
    password = fields.String(required=True, validate=validate.Length(max=1000))


class NewPassword(FormSchema):
    """A new password, typed twice. `sign_in_name` is given by the page: the password must differ from it."""

    new_password = fields.String(required=True)
    again = fields.String(required=True)

    def __init__(self, sign_in_name: str, **options: Any) -> None:
        super().__init__(**options)
        self.sign_in_name = sign_in_name

    @validates_schema
    def _strong_and_equal(self, data: dict[str, Any], **_kwargs: Any) -> None:
        fault = passwords.fault(data.get("new_password", ""), sign_in_name=self.sign_in_name)
        if fault:
            raise ValidationError([PASSWORD_FAULTS[fault]], "new_password")
        if data.get("new_password") != data.get("again"):
            raise ValidationError([_l("The two passwords differ.")], "again")


class PasswordChange(NewPassword):
    """The same with the old password."""

    password = fields.String(required=True, validate=validate.Length(max=1000))


class LocaleSchema(FormSchema):
    locale = fields.String(required=True, validate=validate.OneOf(["zh", "en"]))


class GrantSchema(FormSchema):
    """A role, where it holds (as offered by the page), and from when to when."""

    role = fields.String(required=True, validate=validate.OneOf([role.value for role in Role]))
    place = fields.String(validate=validate.Length(max=200))
    valid_from = fields.Date(required=True)
    valid_to = fields.Date()


class NewAccount(GrantSchema):
    """A person who is not registered yet, with a first role."""

    name = fields.String(required=True, validate=validate.Length(max=40))
    telephone = fields.String(validate=validate.Length(max=30))
    sign_in_name = fields.String(validate=validate.Length(max=60))


class AccountOfPerson(FormSchema):
    """A registered person: which of the suggested roles (their places in the list), and a name to sign in with."""

    choice = fields.List(fields.Integer(), required=True, validate=validate.Length(min=1))
    sign_in_name = fields.String(validate=validate.Length(max=60))


class RenameSchema(FormSchema):
    sign_in_name = fields.String(required=True, validate=validate.Length(max=60))


class RuleSchema(FormSchema):
    """A new value of a rule, from which day, and where it is written."""

    value = fields.String(required=True, validate=validate.Length(max=2000))
    valid_from = fields.Date(required=True)
    source = fields.String(required=True, validate=validate.Length(max=200))
