/** Runs inside an empty folder with the packed packages installed: the core packages load and work as CommonJS. */
const assert = require('node:assert/strict')
const { parseMessage, parseUri } = require('@carillon/sip-parser')
const { parseSdp } = require('@carillon/sip-parser/sdp')
const { SipStack } = require('@carillon/sip-transaction')
const { SeededRandom } = require('@carillon/sip-transaction/testing')
const { createRelay } = require('@carillon/rtp-relay')

assert.equal(parseMessage(Buffer.from('garbage\r\n\r\n')).ok, false)
assert.equal(parseUri('sip:alice@example.com:5070;transport=tcp').value.port, 5070)
assert.equal(parseSdp('nonsense').ok, false)
assert.equal(typeof SipStack.create, 'function')
assert.equal(typeof createRelay, 'function')
assert.equal(new SeededRandom(7).fraction(), new SeededRandom(7).fraction())
