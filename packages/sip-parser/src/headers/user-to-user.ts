/** Data that the users' programs hand each other: User-to-User (RFC 7433 §4.1; RFC 7434 for the ISDN package). */
import { Buffer } from 'node:buffer'
import { skipSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { type Params, type ParamsInit, toParams } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import {
  checkTokenParam,
  type ParamCheck,
  ParamValue,
  readBack,
  readParams,
  readTokenOrQuoted,
  writeTokenOrQuoted,
} from './param-value'

/** The parts of a User-to-User value. */
export interface UserToUserInit {
  /** Bytes, which are written in hexadecimal, or text as it is to stand there. */
  readonly data: Uint8Array | string
  /** The package, such as `isdn-uui`. */
  readonly purpose?: string | undefined
  /** What the data is, such as `isdn-uui`. */
  readonly content?: string | undefined
  /** `hex` for bytes when left out. */
  readonly encoding?: string | undefined
  readonly params?: ParamsInit | undefined
}

/** One User-to-User value. Immutable. */
export class UserToUser extends ParamValue {
  /**
   * Takes what was read; use {@link UserToUser.of} instead.
   * @internal
   */
  constructor(
    /** As it came, without quotes. */
    readonly data: string,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static of(init: UserToUserInit): UserToUser {
    const isText = typeof init.data === 'string'
    const data = isText
      ? (init.data as string)
      : Buffer.from(init.data as Uint8Array)
          .toString('hex')
          .toUpperCase()
    const params = new Map<string, string | null>()
    if (init.purpose !== undefined) params.set('purpose', init.purpose)
    if (init.content !== undefined) params.set('content', init.content)
    const encoding = init.encoding ?? (isText ? undefined : 'hex')
    if (encoding !== undefined) params.set('encoding', encoding)
    for (const [name, value] of toParams(init.params)) params.set(name, value)
    return readBack(decodeUserToUser, new UserToUser(data, params), 'User-to-User')
  }

  /** The package, such as `isdn-uui`; undefined when absent. */
  get purpose(): string | undefined {
    return this.textOf('purpose')
  }

  /** What the data is; undefined when absent. */
  get content(): string | undefined {
    return this.textOf('content')
  }

  /** `hex` or an extension, in lower case; undefined when absent. */
  get encoding(): string | undefined {
    return this.textOf('encoding')?.toLowerCase()
  }

  /**
   * The data as bytes; hexadecimal is what data without an encoding is taken for (RFC 7434 §4.2). A new buffer each
   * time. Undefined for another encoding, and for what is not hexadecimal.
   */
  get bytes(): Uint8Array | undefined {
    const isHex = (this.encoding ?? 'hex') === 'hex' && this.data.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(this.data)
    return isHex ? Buffer.from(this.data, 'hex') : undefined
  }

  protected override get head(): string {
    return writeTokenOrQuoted(this.data)
  }
}

const checkUserToUser: ParamCheck = (name, wire) => {
  if (name === 'purpose' || name === 'content' || name === 'encoding') checkTokenParam(wire)
}

/** One value; `cursor.next` is then at a comma or `end`. */
export function decodeUserToUser(wire: Wire, start: number, end: number, leniency: Leniency): UserToUser {
  const data = readTokenOrQuoted(wire, skipSpace(wire, start, end), end)
  return new UserToUser(data, readParams(wire, cursor.next, end, leniency, checkUserToUser))
}
