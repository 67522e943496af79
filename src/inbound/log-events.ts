// The listeners' events as log lines. AUTH exchanges and bodies never get here, so they cannot get out.

import type { Logger } from '../observe/logger.ts'
import type { BounceEvents, CertificateEvents, SubmissionEvents } from './events.ts'
import type { Reply } from './replies.ts'

export function logEvents(logger: Logger): SubmissionEvents & CertificateEvents {
  return {
    listening: (event) => logger.info({ event: 'listening', ...event }),
    connectionOpened: (event) => logger.debug({ event: 'connection-opened', ...event }),
    connectionRefused: (event) => logger.warn({ event: 'connection-refused', ...withReply(event) }),
    sessionEnded: (event) => logger.warn({ event: 'session-ended', ...withReply(event) }),
    connectionFailed: ({ error, ...event }) =>
      logger.info({ event: 'connection-failed', ...event, error: error.message }),
    authSucceeded: (event) => logger.debug({ event: 'auth-succeeded', ...event }),
    authFailed: (event) => logger.warn({ event: 'auth-failed', ...event }),
    refused: (event) => logger.warn({ event: 'refused', ...withReply(event) }),
    acceptFailed: ({ error, ...event }) => logger.error({ event: 'accept-failed', ...event, err: error }),
    submissionPaused: (event) => logger.error({ event: 'submission-paused', ...event }),
    submissionResumed: () => logger.info({ event: 'submission-resumed' }),
    certificateMade: (event) =>
      logger.warn({ event: 'certificate-made', ...event }, 'made a self-signed certificate for trial'),
    certificateLoaded: (event) => logger.info({ event: 'certificate-loaded', ...event }),
    certificateRefused: ({ error, ...event }) => logger.error({ event: 'certificate-refused', ...event, err: error }),
  }
}

function withReply<T extends { readonly reply?: Reply }>({ reply, ...event }: T): Record<string, unknown> {
  return reply === undefined ? event : { ...event, reply: `${reply.code} ${reply.text}` }
}

/**
 * Anybody may talk to a bounce listener, and many do who have no business there: what is refused to them is told only to
 * those who look for it, what we end and what goes wrong to everybody.
 */
export function logBounceEvents(logger: Logger): BounceEvents {
  return {
    ...logEvents(logger),
    connectionRefused: (event) => logger.info({ event: 'connection-refused', ...withReply(event) }),
    sessionEnded: (event) => logger.info({ event: 'session-ended', ...withReply(event) }),
    refused: (event) => logger[event.command === 'RCPT' ? 'debug' : 'info']({ event: 'refused', ...withReply(event) }),
    reportTaken: (event) => logger.debug({ event: 'report-taken', ...event }),
    bouncesPaused: (event) => logger.error({ event: 'bounces-paused', ...event }),
    bouncesResumed: () => logger.info({ event: 'bounces-resumed' }),
  }
}
