/** What tests of programs that use this package need: a clock, chance and a network under their control. */

export { silentLogger } from '../endpoint/wire/node-ports'
export { FakeClock } from './fake-clock'
export { LayerPeer, type LayerPeerOptions, type PeerRequestInit } from './layer-peer'
export {
  type LinkConditions,
  MemoryNetwork,
  type MemoryNetworkOptions,
  type MemoryTransportOptions,
  type MessageFate,
  type ObservedMessage,
  perfectLink,
} from './memory-network'
export { SeededRandom } from './seeded-random'
export { parseZone, type ZoneData, type ZoneRecord } from './zone'
export { ZoneResolver, type ZoneResolverOptions, type ZoneTrouble } from './zone-resolver'
