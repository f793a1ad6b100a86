/** Ports: what the relay needs from the world, as interfaces, so that its logic runs in tests without sockets and time. */
import type { Buffer } from 'node:buffer'

/** Monotonic time and a way to be woken. */
export interface Clock {
  /** Milliseconds that never run backwards, with fractions; their zero means nothing. */
  monotonicMs(): number
  /** Calls `wake` once, no earlier than `atMs`. Must not keep the process alive. */
  schedule(atMs: number, wake: () => void): ScheduledWake
}

/** A wake-up that has been asked for. */
export interface ScheduledWake {
  /** Forgets the wake-up; does nothing when it has already happened. */
  cancel(): void
}

/** A source of numbers that an attacker cannot foretell; the order of ports is made of them. */
export interface Random {
  /** A number in [0, 1). */
  fraction(): number
  /** So many bytes, for keys. */
  bytes(count: number): Uint8Array
}

/** Takes what a datagram channel receives. */
export interface DatagramSink {
  /** One datagram and its source. `packet` belongs to the sink until it returns, and to `send` if it is passed on. */
  receive(packet: Buffer, address: string, port: number): void
  /** The channel reports an error of the operating system, such as ECONNREFUSED; the channel stays usable. */
  failed(code: string): void
}

/** One bound UDP socket. */
export interface DatagramChannel {
  readonly port: number
  /** True while the kernel lets packets of one source through only. */
  readonly isConnected: boolean
  /** True while bytes handed to `send` have not left yet; they must not be changed then. */
  readonly isSending: boolean
  /** Sends without waiting and without telling failures; a connected channel ignores the destination. Never throws. */
  send(packet: Uint8Array, address: string, port: number): void
  /** Binds the channel to one peer; a failure leaves it as it was. Never throws. */
  connect(address: string, port: number): void
  /** Undoes `connect`. Never throws. */
  disconnect(): void
  /** Stops at once, resolves when the socket is closed. Nothing is received afterwards. */
  close(): Promise<void>
}

/** Opens datagram channels. */
export interface DatagramNetwork {
  /** Binds; rejects with an Error whose `code` is the system's: EADDRINUSE, EADDRNOTAVAIL, EMFILE, … */
  open(address: string, port: number, family: 'IP4' | 'IP6', sink: DatagramSink): Promise<DatagramChannel>
}
