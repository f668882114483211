// A real OpenID Connect provider on loopback; what it is, is told as one JSON document on stdin.
import { readFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const told = JSON.parse(readFileSync(0, 'utf8'));

const provider = new Provider(told.issuer, {
  jwks: told.jwks,
  clients: told.clients.map((client) => ({
    client_id: client.id,
    client_secret: client.secret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })),
  cookies: { keys: [told.cookie_key] },
  extraTokenClaims: (ctx, token) => told.clients.find(({ id }) => id === token.clientId).claims,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'hsc',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: told.lasts_s,
        jwt: { sign: { alg: told.algorithm } },
      }),
    },
  },
});

provider.listen(told.port, '127.0.0.1', () => console.log('ready'));
