/**
 * How many requests of one connection have had no final answer: what a peer that has ended its side still waits for
 * (RFC 3261 §18.2.2). Read off the first bytes of messages, so that the transport need not know transactions.
 */

const space = 0x20
/** Where the status code of `SIP/2.0 200` begins. */
const statusAt = 8

/** Counts for one connection. */
export class OwedAnswers {
  private owed = 0

  /** True while an answer is due. */
  get isAny(): boolean {
    return this.owed > 0
  }

  /** A whole message came. */
  received(bytes: Uint8Array): void {
    if (!isResponse(bytes) && !isAck(bytes)) this.owed += 1
  }

  /** A message went out. A 2xx that is repeated counts for another request; at worst that one's connection ends early. */
  sent(bytes: Uint8Array): void {
    if (this.owed > 0 && isResponse(bytes) && bytes[statusAt]! >= 0x32) this.owed -= 1
  }
}

function isResponse(bytes: Uint8Array): boolean {
  return bytes.length > statusAt && bytes[3] === 0x2f && bytes[0] === 0x53 && bytes[1] === 0x49 && bytes[2] === 0x50
}

/** ACK is never answered (RFC 3261 §17). */
function isAck(bytes: Uint8Array): boolean {
  return bytes[0] === 0x41 && bytes[1] === 0x43 && bytes[2] === 0x4b && bytes[3] === space
}
