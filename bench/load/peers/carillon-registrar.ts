/**
 * A registrar of a dozen lines on SipStack and its binding table, without authentication: the counterpart of
 * sip-registrar.cjs.
 *
 *   node carillon-registrar.ts PORT
 */
import { BindingTable, nodeClock, SipStack } from '@carillon/sip-transaction'

const stack = await SipStack.create({ listen: [`udp://127.0.0.1:${process.argv[2]}`] })
const bindings = new BindingTable()

stack.method('REGISTER', (request) => {
  const { flowId, transport, address, port } = request.source
  const result = bindings.apply(
    request.to.uri.toString(),
    request.message,
    { flowId, address: { transport, address, port } },
    nodeClock.monotonicMs(),
  )
  request.reply(result.status, { headers: result.headers, contact: false })
})
console.log('ready')
