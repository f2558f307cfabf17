"""An OpenID Connect provider on loopback that lets everybody in, as whoever it is told."""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "paper-assistant"


class FakeOidc:
    """The provider; ``subject`` is who logs in next."""

    def __init__(self) -> None:
        self.subject = "ada"
        self._key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        self._asked: dict[str, tuple[str, str]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if parts.path == "/authorize":
                    self.send_response(302)
                    self.send_header("Location", outer._grant(query))
                    self.end_headers()
                elif parts.path == "/jwks":
                    self._reply({"keys": [outer._key.as_dict(private=False)]})
                else:
                    self._reply(outer._metadata())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._reply(outer._token(parse_qs(body)["code"][0]))

            def _reply(self, content: Mapping[str, object]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def metadata_url(self) -> str:
        return f"{self.url}/.well-known/openid-configuration"

    def _metadata(self) -> dict[str, object]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _grant(self, query: Mapping[str, str]) -> str:
        code = f"code-{len(self._asked)}"
        self._asked[code] = (self.subject, query["nonce"])
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _token(self, code: str) -> dict[str, object]:
        subject, nonce = self._asked[code]
        now = int(time.time())
        claims = {
            "iss": self.url, "sub": subject, "aud": CLIENT, "iat": now, "exp": now + 3600,
            "nonce": nonce, "email": f"{subject}@example.org",
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._key)
        return {
            "access_token": "t",
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": token,
        }
