// The pretend name server: one port, UDP and TCP, answers from the zone. Malformed questions are not answered (UDP) or end
// the connection (TCP), as of any name server.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIP, type Server, type Socket } from 'node:net'
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
} from 'dns-packet'
import { answerOf, type Zone } from './zone.ts'

export interface NameServer {
  readonly port: number
  stop(): Promise<void>
}

// RFC 1035 §4.1.1
const RCODE = { noerror: 0, formerr: 1, servfail: 2, nxdomain: 3, notimp: 4 }
const OPCODE = 0x7800
const TCP_IDLE_MS = 10_000
const PORT_TRIES = 20

/** The answer to one packet, without a length prefix; undefined where none is given. */
export function answerPacket(bytes: Buffer, zone: Zone): Buffer | undefined {
  const query = decoded(bytes)
  if (query === undefined || query.type !== 'query') return undefined
  const [question, ...more] = query.questions ?? []
  const respond = (rcode: number, answers: readonly Answer[] = [], authorities: readonly Answer[] = []): Buffer =>
    encode({
      type: 'response',
      id: query.id ?? 0,
      flags: ((query.flags ?? 0) & (OPCODE | RECURSION_DESIRED)) | RECURSION_AVAILABLE | AUTHORITATIVE_ANSWER | rcode,
      questions: query.questions ?? [],
      answers: [...answers],
      authorities: [...authorities],
    })
  if (((query.flags ?? 0) & OPCODE) !== 0) return respond(RCODE.notimp)
  if (question === undefined || more.length > 0) return respond(RCODE.formerr)
  const answer = answerOf(question, zone)
  switch (answer.kind) {
    case 'silence':
      return undefined
    case 'servfail':
      return respond(RCODE.servfail)
    case 'nxdomain':
      return respond(RCODE.nxdomain, [], [startOfAuthority()])
    case 'nodata':
      return respond(RCODE.noerror, [], [startOfAuthority()])
    case 'records':
      return respond(RCODE.noerror, answer.records)
  }
}

function decoded(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined // not a DNS packet: a remote party's fault, for which DNS has no answer
  }
}

// RFC 2308 §3: the time an absence may be remembered stands in the SOA of the authority section.
function startOfAuthority(): Answer {
  const data = {
    mname: 'ns.sandbox.test',
    rname: 'hostmaster.sandbox.test',
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: 60,
  }
  return { type: 'SOA', name: 'test', ttl: 60, data }
}

export async function startNameServer({
  address,
  port,
  zone,
}: {
  address: string
  port: number
  zone: Zone
}): Promise<NameServer> {
  // A port that is free for UDP may be taken for TCP: then try the next one.
  for (let tries = 1; ; tries++) {
    const udp = await listenUdp(address, port, zone)
    const tcp = serveTcp(zone)
    try {
      await listening(tcp.server, udp.address().port, address)
      return { port: udp.address().port, stop: () => stop(udp, tcp) }
    } catch (error) {
      await closed(udp)
      if (port !== 0 || tries === PORT_TRIES) throw error
    }
  }
}

async function listenUdp(address: string, port: number, zone: Zone): Promise<UdpSocket> {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
  socket.on('message', (bytes, client) => {
    const answer = answerPacket(bytes, zone)
    if (answer !== undefined) socket.send(answer, client.port, client.address)
  })
  socket.bind(port, address)
  await once(socket, 'listening')
  socket.on('error', () => {
    // An ICMP error for an answer to a client that is gone: nobody's concern.
  })
  return socket
}

interface TcpSide {
  readonly server: Server
  readonly connections: Set<Socket>
}

function serveTcp(zone: Zone): TcpSide {
  const connections = new Set<Socket>()
  const server = createServer((socket) => {
    connections.add(socket)
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => connections.delete(socket))
    let input: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      input = answerAll(Buffer.concat([input, chunk]), socket, zone)
    })
  })
  return { server, connections }
}

/** Answers every whole question in `input` (RFC 1035 §4.2.2: two bytes of length before each) and gives back the rest. */
function answerAll(input: Buffer, socket: Socket, zone: Zone): Buffer {
  let rest = input
  while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
    const end = 2 + rest.readUInt16BE(0)
    const bytes = rest.subarray(2, end)
    const answer = answerPacket(bytes, zone)
    rest = rest.subarray(end)
    if (answer !== undefined) socket.write(Buffer.concat([lengthOf(answer), answer]))
    else if (decoded(bytes) === undefined) socket.destroy()
  }
  return rest
}

function lengthOf(packet: Buffer): Buffer {
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(packet.length)
  return prefix
}

/** Listens on `port` of `address` (0 = a free one) and gives back the port. */
export async function listening(server: Server, port: number, address: string): Promise<number> {
  server.listen(port, address)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function closed(socket: UdpSocket): Promise<void> {
  socket.close()
  await once(socket, 'close')
}

async function stop(udp: UdpSocket, tcp: TcpSide): Promise<void> {
  const gone = once(tcp.server, 'close')
  tcp.server.close()
  for (const socket of tcp.connections) socket.destroy()
  await Promise.all([gone, closed(udp)])
}
