from __future__ import annotations

import ssl

from lictor.runtime.handshake import explained


def failed(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


def test_known_reasons_are_put_into_words_and_others_are_not_lost() -> None:
    assert explained(failed("PEER_DID_NOT_RETURN_A_CERTIFICATE")) == "it showed no certificate"
    assert explained(failed("SOME_NEW_ONE")) == "TLS failed: some new one"


def test_the_cause_tells_what_an_error_around_it_does_not() -> None:
    refused = ssl.SSLCertVerificationError(1, "refused")
    refused.verify_message = "certificate has expired."
    around = ssl.SSLCertVerificationError("cannot connect")
    around.__cause__ = refused
    assert explained(around) == "its certificate is not accepted: certificate has expired"


def test_other_errors_speak_for_themselves() -> None:
    assert explained(ConnectionResetError("reset")) == "reset"
    assert explained(TimeoutError()) == "TimeoutError"
