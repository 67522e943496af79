// Mailbox providers and phone carriers that write their own reports, one row each; the words are mostly not English.

import { type Layout, sectionReader } from './section.ts'

const A = '([^\\s<>"@:;,()（）]{1,128}@[^\\s<>"@:;,()（）]{1,255})'
const JAPANESE_CARRIER =
  /ezweb\.ne\.jp|au\.com|dion\.ne\.jp|auone|kddi|docomo\.ne\.jp|softbank|vodafone\.ne\.jp|biglobe|nifty|so-net|ocn\.ne\.jp|plala|uqmobile|ymobile|disney|willcom|pdx/i

export const PROVIDERS: readonly Layout[] = [
  {
    family: 'ezweb',
    sender: JAPANESE_CARRIER,
    opening:
      /Each of the following recipients was rejected by a remote mail server|The user\(s\) account is|The following recipients did not receive this message|Could not be delivered to:/i,
    address: new RegExp(`^(?:\\s{0,12}(?:Recipient:|Could not be delivered to:)?\\s{0,20})<${A}>`, 'i'),
    reasonBefore: /account is|not delivered within|not responding|mailbox is full|rejected by a remote|unknown/i,
  },
  {
    family: 'biglobe',
    opening: /The following addresses had delivery problems/i,
    address: new RegExp(`^\\s{0,4}<?${A}>?\\s*$`),
    closing: /^\s*If you/i,
    reason: /Non-delivered information -{2,}\s{0,4}(.{1,500})$/i,
  },
  {
    family: 'verizon',
    sender: /vtext\.com|vzwpix\.com|vzw\.com/i,
    opening: /Message could not be delivered to mobile|Error:/i,
    address: new RegExp(`^\\s{0,4}(?:To|RCPT TO):\\s{0,8}<?${A}`, 'i'),
    reason: /(Error: .{1,300}?)(?= Original Message:| Message details:|$)/i,
  },
  {
    family: 'netease',
    opening: /(?:退信|退回|未能送达|无法(?:投递|送达|发送)|無法(?:投遞|送達|寄達)|被退回|系统退信|无法到达)/,
    address: new RegExp(
      `(?:收件人|收件者|收信人|目的地址|接收方|收件地址|邮件地址|信箱|发送到|送给|致|To)[^：:@<>]{0,12}[:：]?\\s{0,8}["'<（(]{0,2}${A}|^\\s{0,12}["'<]{0,2}${A}["'>]{0,2}\\s{0,4}[:：]?\\s*$`,
    ),
    reason:
      /(?:退信原因|退信理由|错误信息|原因|理由|错误代码|說明|错误|提示|出错信息)[^：:]{0,8}[:：]\s{0,4}(.{1,600})$/,
  },
  {
    family: 'naver',
    opening: /(?:메일|편지|메시지).{0,60}(?:전송|전달|배달|발송|발신).{0,40}(?:실패|못|않|없|불가|오류)/,
    address: new RegExp(
      `(?:받는 ?사람|수신자|수신인|받는 ?분|수신 ?주소|받는이)[^:：@<>]{0,12}[:：]?\\s{0,8}["'<(]{0,2}${A}|^\\s{0,12}["'<]{0,2}${A}["'>]{0,2}\\s{0,4}[:：]?\\s*$`,
    ),
    reason: /(?:실패 ?(?:원인|사유|이유)|반송 ?(?:원인|사유|이유)|오류|원인|사유)[^:：]{0,8}[:：]\s{0,4}(.{1,600})$/,
  },
  {
    family: 'compuserve',
    opening: /Invalid receiver address:|Your message could not be delivered for the following reason/i,
    address: new RegExp(`Invalid receiver address:\\s{0,8}<?${A}`, 'i'),
  },
  {
    family: 'usa.net',
    opening: /Intended recipient:|Undeliverable Address:/i,
    address: new RegExp(`(?:Intended recipient|Undeliverable Address):\\s{0,8}<?${A}`, 'i'),
  },
  {
    family: 'fml',
    sender: /-(?:admin|request|ctl)@|fml/i,
    opening:
      /Duplicated Message-ID in <|You are not a member of this mailing list <|Duplicate Mail\/Loop Back|Loop Back Warning/i,
    address: new RegExp(`(?:Duplicated Message-ID in|member of this mailing list) <${A}>`, 'i'),
    reason: /((?:Duplicated Message-ID|You are not a member|Loop Back).{0,200})/i,
  },
  {
    family: 'messagelabs',
    opening:
      /(?:MessageLabs|Symantec)[^:]{0,300}(?:unable to deliver|could not be delivered|was not delivered|undeliverable)[^:]{0,100}:/i,
  },
  {
    family: 'mxlogic',
    opening:
      /Message delivery has failed (?:for|to)[^:]{0,100}:|Your (?:message|e-?mail) was (?:not delivered|rejected|denied)[^:]{0,120}(?:recipients?|address(?:es)?)[^:]{0,40}:/i,
  },
  {
    // Barracuda, SonicWall, FortiMail, Sophos and everybody else who says it so.
    family: 'undeliverable-to',
    opening:
      /(?:could not be delivered to|cannot be delivered to|was not delivered to|undeliverable to|not deliverable to|failed to deliver to|unable to deliver to)(?: the)?(?: following)?(?: e-?mail)? (?:address(?:\(?es\)?)?|recipients?(?:\(s\))?|users?)[^:.]{0,60}[:.]/i,
  },
]

export const providerReaders = PROVIDERS.map(sectionReader)
