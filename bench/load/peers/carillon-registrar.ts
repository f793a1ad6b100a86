/**
 * A registrar of a dozen lines on SipStack and its binding table, with digest when asked for: the counterpart of
 * sip-registrar.cjs.
 *
 *   node carillon-registrar.ts PORT none|digest
 */
import {
  BindingTable,
  createNodeRandom,
  DigestVerifier,
  digest,
  type Handler,
  nodeClock,
  SipStack,
} from '@carillon/sip-transaction'

const stack = await SipStack.create({ listen: [`udp://127.0.0.1:${process.argv[2]}`] })
const bindings = new BindingTable()
const save: Handler = (request) => {
  const result = bindings.apply(request, nodeClock.monotonicMs())
  request.reply(result.status, result)
}

if (process.argv[3] === 'digest') {
  const random = createNodeRandom()
  // MD5 alone, as the others have it.
  const verifier = new DigestVerifier({
    realm: 'carillon.test',
    secret: random.bytes(32),
    random,
    algorithms: ['MD5'],
  })
  const known = digest.required(verifier, () => ({ password: 'secret' }))
  stack.method('REGISTER', known, save)
} else {
  stack.method('REGISTER', save)
}
console.log('ready')
