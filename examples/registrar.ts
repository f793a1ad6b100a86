/** A registrar (RFC 3261 §10): bindings in memory, several contacts a user, expiry; with a password when one is given. */
import { SipUri } from '@carillon/sip-parser'
import {
  BindingTable,
  createNodeRandom,
  DigestVerifier,
  digest,
  digestUsernameKey,
  type Handler,
} from '@carillon/sip-transaction'
import { fail, readNumber, readOptions, serve, startStack } from './support/program.ts'

const options = readOptions(
  'registrar [--listen udp://127.0.0.1:5060] … [--user alice --password secret] [--realm localhost]',
  {
    listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060'] },
    user: { type: 'string' },
    password: { type: 'string' },
    realm: { type: 'string', default: 'localhost' },
    'min-expires': { type: 'string', default: '60' },
  },
)
if ((options.user === undefined) !== (options.password === undefined)) fail('--user and --password go together', 2)

const bindings = new BindingTable({ registrationSecondsMin: readNumber('min-expires', options['min-expires']) })
// Look-ups never show what has expired; this gives its memory back.
setInterval(() => bindings.expire(performance.now(), []), 1_000).unref()

const register: Handler = (request) => {
  const { uri } = request.to
  if (!(uri instanceof SipUri) || uri.user === undefined) return request.reply(404)
  // Step 4 of RFC 3261 §10.3: users may bind their own address only.
  if (options.user !== undefined && request.locals.get(digestUsernameKey) !== uri.user) return request.reply(403)
  const answer = bindings.apply(request, performance.now())
  request.reply(answer.status, answer)
}

const stack = await startStack({ listen: options.listen })
if (options.password === undefined) stack.method('REGISTER', register)
else {
  const { user, password, realm } = options
  const random = createNodeRandom()
  const verifier = new DigestVerifier({ realm, secret: random.bytes(32), random })
  // An unknown user gets the same answer as a wrong password, and as late.
  const known = digest.required(verifier, (name) => (name === user ? { password } : undefined))
  stack.method('REGISTER', known, register)
}
serve(stack)
