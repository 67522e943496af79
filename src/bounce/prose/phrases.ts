// What failures and delays are called, per language: data for the readers. Every phrase is one that machines say about mail
// that did not arrive; words that people also say in ordinary mail ("sorry", "problem") are not here.

/** Subjects of non-delivery reports and delay notices. */
const SUBJECTS: readonly RegExp[] = [
  // English
  /\bundeliver(?:able|ed)\b|\b(?:mail |message )?delivery (?:has )?(?:failure|failed|problem|error|report|notification|status|delayed|incomplete|reports?|warning|subsystem)\b/i,
  /\b(?:mail|message|e-?mail|recipient) (?:delivery )?(?:fail(?:ed|ure)|rejected|bounced|undeliver\w+|not delivered|could not be delivered|can(?:no|')t be delivered|returned)\b/i,
  /\bfail(?:ed|ure) (?:of )?(?:delivery|notice|mail|to deliver|notification)|\bfailure delivery\b/i,
  /\breturned (?:e?-?mail|message|to sender)|\breturn(?:ing)? (?:message )?to sender|\bnon-?deliver(?:y|able)|\bnot delivered\b|\bunable to deliver|\bcould not (?:be delivered|deliver|send message)|\bcannot send mail/i,
  /\bmail (?:system |transport )?error|\bdelayed mail|\bmessage (?:delayed|status)|\bmessage you sent|\berror sending your mail|\bwarning: (?:message|could not|mail)|\bmailbox (?:is )?full|\bover quota|\bunknown user|\buser unknown|\baddress(?:es)? (?:not found|unknown)|\bbounced? (?:mail|message|e-?mail)|\b(?:mail|message|e-?mail)(?: \w+){0,2} bounced|\[bounce\]|\bmessage notification|\bmessage rejected|\berrors from\b|\bblocked (?:mail|message)|\bmail(?:box)? unavailable|\bdelivery to .{1,80} (?:failed|delayed)|\bNDN:|\bNDR\b|\brejected mail|\bmessage not sent|\bdelivery problems/i,
  // German
  /unzustellbar|nicht zugestellt|zustellung (?:fehl|nicht)|zustellfehler|fehlgeschlagen|nicht zustellbar|r.{1,2}ckgabe|verz.{1,2}gert|unzustellbarkeit|fehler bei der .{0,20}zustellung|zustell(?:bericht|status)/i,
  // French
  /non (?:remis|d.{1,2}livr|distribu)|remise (?:impossible|diff.r.e)|.chec de (?:la )?(?:remise|distribution|livraison)|.chec (?:de|d'|lors)|message non|retour (?:de|.) (?:courrier|mail|l'exp)|non-remise|ne peut (?:pas )?.tre (?:remis|distribu)|impossible de remettre/i,
  // Spanish, Portuguese, Italian
  /no se (?:puede|pudo|ha podido) entregar|no entregad|no se entreg|devuelto|error (?:de|en la) entrega|fallo (?:de|en la) entrega|entrega (?:fallida|retrasada|demorada)|correo (?:rechazado|devuelto)/i,
  /n.o (?:foi )?entregue|n.o p.de ser entregue|falha (?:na|de) entrega|devolvid|devolu..o|erro (?:de|na) entrega|n.o foi poss.vel entregar|entrega (?:com falha|atrasada)/i,
  /non recapitabil|mancat[ao] (?:consegna|recapito)|non consegnat|impossibile (?:recapitare|consegnare|recapito)|errore (?:di|nella) consegna|mancato recapito|consegna (?:fallita|ritardata|non riuscita)|notifica di mancat/i,
  // Dutch, the north
  /onbestelbaar|niet (?:bezorgd|afgeleverd|besteld)|kan niet worden (?:bezorgd|besteld)|bezorging (?:mislukt|vertraagd)|aflevering/i,
  /kunde inte levereras|ej levererad|gick inte att leverera|olevererbar|leveransfel|kan ikke leveres|kunne ikke leveres|ikke leveret|ikke levert|ikke-leverings|uleverbar|leveringsfejl|leveringsfeil|ei voitu toimittaa|toimitus ep.onnistui|toimittamatta|perille toimit/i,
  // Polish, Czech, Slovak, Hungarian, Romanian, Baltic
  /nie mo(?:.|.)e by. dostarczon|niedor.czon|nie dor.czono|nie dostarczon|niedostarczon|zwrot (?:poczty|wiadomo)|nelze doru.it|nedoru.iteln|nedoru.en|nebylo? mo.n. doru.it|vr.cen|nedoru.iten|k.zbes.thetetlen|sikertelen|nelivrat|nepristat|neizdev|pranešimas nepristatytas/i,
  // Russian, Ukrainian, Bulgarian, Greek, Turkish
  /не доставлен|недоставлен|не может быть доставлен|ошибка (?:при )?доставк|не удалось доставить|невозможно доставить|возврат (?:письма|почты|сообщения)|недоставк|не було доставлено|не доставлено|помилка доставки|задержк|отложен/i,
  /αποτυχία|δεν παραδόθηκε|μη παραδ|teslim edilemedi|iletilemedi|teslimat? (?:hatas|ba.ar.s.z)|g.nderilemedi/i,
  // Japanese, Chinese, Korean
  /配信(?:でき|不能|エラー|失敗|不可)|配信できません|配達(?:でき|不能|エラー)|送信(?:エラー|できません|失敗|不能)|メールエラー|エラー(?:メール|通知)|戻り(?:メール)|不達|届きませんでした|未配信|宛先不明|返送/i,
  /退信|退回|无法(?:送达|投递|传递|发送)|無法(?:送達|投遞|傳遞|傳送|寄達)|未(?:送达|能送达|传递|送達|傳遞)|投递失败|投遞失敗|发送失败|寄送失敗|传递失败|无法传递|未傳遞|系统退信|传送失败/,
  /배달(?:되지| ?실패|할 수 없)|전송(?:되지| ?실패|할 수 없| 오류)|반송|전달되지|발송 ?실패|배달 ?불가|수신 ?불가/,
  // Hebrew, Arabic, Thai, Vietnamese, Indonesian
  /לא ניתן למסור|לא נמסר|תעذر|تعذر|لم يتم تسليم|ส่งไม่สำเร็จ|ไม่สามารถส่ง|không gửi được|không thể gửi|tidak (?:dapat|bisa) (?:ter)?kirim|tidak terkirim|gagal (?:kirim|mengirim)/i,
]

/** In the text: this did not arrive. */
export const FAILURES: readonly RegExp[] = [
  // English: what servers say of a recipient or of the way to him
  /\b(?:user|recipient|mailbox|address|account|addressee|destination|alias|person|member|group|usuario)(?:\(?s\)?)?(?: name| address| account| mailbox| id)? (?:is |was |are |has been |does |do |could |can |)?(?:not |no |un|in|temporarily |currently |over|full|disabled|blocked|closed|suspended|rejected|inactive|locked|expired|exceed|refused|invalid|unavailable|not)/i,
  /\b(?:no such|unknown|invalid|bad|illegal|nonexistent|non-existent|inactive|undeliverable|incorrect|wrong|unrecognized|nonexisting|disabled)(?: local| final| destination| mail| email| e-mail| virtual| delivery)* (?:user|recipient|mailbox|address|account|person|host|domain|alias|addressee|userid|user id|name|e-?mail|site)/i,
  /\b(?:user|host|domain|recipient|address) unknown\b|\bunknown (?:user|recipient|host|address|domain|local)|\bdoes(?:n't| not) exist|\bdon't know (?:any|this|that)|\bno (?:mailbox|user|account|address) (?:here|by|with|found|exists)|\bnot (?:a valid|our customer|listed in|found in|known|exist)|\bunrout\w*able|\bunresolvable|\bnot recogni[sz]ed|\bhas moved\b/i,
  /\b(?:over|exceed(?:s|ed|ing)?|beyond|above)(?: \w+){0,3} (?:quota|storage|limit|allocation|size|space)|\b(?:mailbox|inbox|mail ?drop|account|folder|disk|storage)(?: \w+){0,3} (?:full|quota|exceeded|size)|\bquota (?:exceeded|exceed|violation|usage)|\bquota\b.{0,30}\bexceed|\bout of (?:space|storage|disk)|\btoo (?:large|big|long|many)\b|\binsufficient (?:disk|system|storage|space)/i,
  /\b(?:could|can|was|were|would|has|have|had)(?: ?not|n't) (?:be |been )?(?:delivered|deliver|sent|send|reach(?:ed)?|find|found|accept(?:ed)?|processed|relayed|resolve(?:d)?|complete(?:d)?|transferred|handed|forwarded)|\bcannot (?:be )?(?:deliver|send|sent|reach|find|relay|accept|resolve)|\bunable to (?:deliver|send|reach|relay|connect|find|contact|forward|complete|process|resolve)|\bnot (?:been )?(?:delivered|deliverable|accepted)|\bundeliver(?:ed|able)|\bnon-?deliver|\bdid not (?:reach|receive)/i,
  /\b(?:delivery|mail|message|recipient|connection|address|transmission|transaction|attempt)s?(?: \w+){0,6} (?:failed|failure|rejected|refused|denied|aborted|timed out|timeout|bounced|error|returned|blocked|expired|unsuccessful|declined|discarded)\b|\bfailed (?:to|for|with|permanently|delivery|recipient|address|after)|\b(?:rejected|refused|blocked|denied|bounced|returned|discarded) (?:by|because|due|for|as|from|to)\b|\brelay(?:ing)?(?: \w+)? (?:denied|not|prohibited|refused)|\baccess denied|\bpermanent(?:ly)? (?:error|fail|fatal)|\bfatal error|\bdelivery problems?\b|\bdelivery errors?\b|\bretry (?:timeout|time|count|limit)|\btimed out\b|\bhop count|\bmail loop|\bloops back|\berror (?:has )?occurred (?:while|during|when|in)|\bblack ?list|\bspam\b|\bvirus\b|\b(?:smtp|dns|server|host|network) (?:error|failure|rejected|refused|unreachable|not found)/i,
  /\bnot (?:yet )?(?:been )?delivered|\bdelay(?:ed)?\b|\bwill be retried|\bdeferred\b/i,
  // German
  /konnte(?:n)? (?:leider )?nicht|nicht (?:zugestellt|zustellbar|gefunden|erreich\w*|vorhanden|existiert|angenommen|bekannt|m.{1,2}glich|akzeptiert|ausgeliefert|weitergeleitet|verarbeitet)|unzustellbar|unbekannt\w*|existiert nicht|abgelehnt|abgewiesen|zur.{1,2}ckgewiesen|fehlgeschlagen|verweigert|postfach (?:ist )?(?:voll|.{1,2}berf.{1,2}llt|zu gro)|(?:speicherplatz|kontingent|quota).{0,40}(?:.{1,2}berschritten|ersch.{1,2}pft|voll)|ung.{1,2}ltig|gesperrt|deaktiviert|zustellung/i,
  // French
  /n'a pas (?:pu|.t.|abouti)|n'ont pas|ne peut pas|ne peuvent|n'existe pas|non (?:remis|distribu|d.livr|trouv|valide|reconnu|autoris)\S*|inconnu|bo.te (?:aux lettres |de r.ception )?(?:est )?(?:pleine|satur)|quota (?:d.pass|atteint|exc.d)|rejet.|refus.|.chec|introuvable|adresse (?:invalide|erron|incorrecte)|impossible de|d.sactiv/i,
  // Spanish
  /no (?:se )?(?:pudo|puede|pudieron|ha podido|ha sido|fue|existe|es v.lid|encontrad|entregad|disponible|reconocid|se encuentra|se entreg)|desconocid|inexistente|inv.lid|rechazad|casilla (?:llena|de (?:mail|correo)|ha)|buz.n (?:est. )?(?:lleno|de)|cuota|excedi|excede|fallo|fallid|bloquead|deshabilitad|agotad|expirad/i,
  // Italian
  /non (?:.|.') (?:stat[oa]|possibile|valid)|non (?:pu.|esiste|consegnat|recapitat|trovat|riconosciut|disponibile|riuscit|autorizzat)|impossibile|sconosciut|inesistente|casella (?:.{0,20})pien|rifiutat|respint|mancat[ao] (?:consegna|recapito)|quota (?:superata|esaurita)|fallit|spazio esaurito/i,
  // Portuguese
  /n.o (?:foi|p.de|pode|existe|.|est.|encontrad|entregue|recebe)|desconhecid|inexistente|inv.lid|caixa (?:postal |de (?:correio|entrada) )?(?:.{0,20})chei|rejeitad|recusad|falh(?:a|ou)|excedid|cota|bloquead|desativad/i,
  // Dutch
  /(?:kon|kan|konden|kunnen|is|zijn|werd) niet (?:worden )?(?:bezorgd|afgeleverd|gevonden|besteld|verzonden|bereikt|geleverd)|onbekend|bestaat niet|geweigerd|afgewezen|mislukt|onbestelbaar|mailbox is vol|postvak (?:is )?vol|ongeldig|overschreden/i,
  // Swedish, Norwegian, Danish, Finnish
  /kunde inte|kan inte|inte (?:levereras|hittas|hittades|n.s)|ok.nd|finns inte|avvisa|misslyck|nekad|brevl.da.{0,20}full|ogiltig/i,
  /kunne ikke|kan ikke|ikke (?:leveres|levert|leveret|finnes|fundet|funnet|gyldig)|ukjent|ukendt|avvist|afvist|mislyk|postkasse.{0,20}full|eksisterer ikke|findes ikke|ugyldig/i,
  /ei (?:voi|voitu|voida|l.ydy|l.ytynyt|ole|onnistu|toimitettu|saavutt)|tuntematon|ep.onnistu|hyl.t|t.ynn.|virheelli/i,
  // Polish, Czech, Slovak, Hungarian, Romanian
  /nie (?:mo.na|mo.e|uda.o|istnieje|zosta.|znaleziono|dor.cz|dostarcz|powiod)|nieznan|odrzucon|przepe.nion|skrzynka.{0,30}(?:pe.n|zape.n|przekroczon)|nieprawid|b..dny|niedostarcz/i,
  /nelze|nebyl[oa]?|neexistuje|nepoda.ilo|nen. mo.n|nezn.m|odm.tnut|zam.tnut|p.ekro.en|pln. schr.n|schr.nk.{0,20}pln|neplatn|nedoru.|nie je mo.n|nebolo mo.n/i,
  /nem (?:l.tezik|siker.l|k.zbes.t|tal.lhat|.rhet|lehet)|ismeretlen|betelt|visszautas|sikertelen|nu (?:a putut|a fost|exist|s-a putut|poate)|necunoscut|respins|imposibil/i,
  // Russian, Ukrainian, Bulgarian
  /не (?:может|удалось|удается|существует|найден|доставлен|может быть|принят|зарегистрирован|обнаружен|был[оа]? доставлен|отвечает|действител|вдалося|може|існує|знайден|было)|нет такого|неизвестн|невідом|переполнен|отклон|отказ|ошибк|помилк|заблокирован|отключен|невозможно|недоступ|превышен|недействител|непозната/i,
  // Turkish, Greek
  /teslim edilem|iletilem|bulunamad|g.nderilem|ge.ersiz|reddedil|bilinmeyen|ba.ar.s.z|dolu\b|δεν (?:ήταν|μπόρεσε|υπάρχει|παραδόθηκε|βρέθηκε|είναι)|απορρίφθηκε|άγνωστ|αποτυχία/i,
  // Japanese
  /(?:でき|出来)(?:ません|なかった|ず)|配信(?:不能|エラー|失敗)|存在し(?:ません|ない)|見つかりません|不明|拒否|失敗|いっぱい|超過|オーバー|容量|満杯|受信(?:でき|拒否)|届きません|エラー|無効|届けられ/,
  // Chinese
  /无法|無法|失败|失敗|不存在|不正确|不正確|退回|退信|拒绝|拒絕|拒收|已满|已滿|未能|不可用|错误|錯誤|超过|超過|超出|无效|無效|找不到|未知/,
  // Korean
  /없습니다|없는|못했|못하|실패|존재하지|거부|초과|가득|오류|되지 않|반송|차단|알 수 없|잘못/,
  // Hebrew, Arabic, Thai, Vietnamese, Indonesian
  /לא (?:ניתן|נמסר|נמצא|קיימ)|נכשל|تعذر|لم يتم|غير (?:موجود|معروف|صالح)|فشل|ไม่สามารถ|ไม่พบ|ล้มเหลว|không (?:thể|tồn tại|tìm thấy|hợp lệ)|thất bại|tidak (?:dapat|bisa|ada|ditemukan|valid|dikenal)|gagal|ditolak|penuh/i,
]

/** In the text or subject: not arrived yet, and somebody is still trying. */
const DELAYS: readonly RegExp[] = [
  /\bwarning (?:message )?only\b|\b(?:do not|don't|no) need to (?:resend|re-send|send)|\bstill (?:being |be )?(?:retried|trying|undelivered|in the queue|queued|working)|\b(?:will|shall) (?:be |continue |keep |now )?(?:be )?(?:retried|retry|retrying|trying|to try|to attempt|attempting|try again|re-?attempted|attempt(?:ed)? again|to be retried|try to deliver|to deliver)\b|\bnot (?:yet )?been (?:able to be )?delivered yet|\bnot yet (?:been )?(?:delivered|able)|\bno action is (?:currently )?(?:required|necessary|needed)|\bdelivery attempts will|\b(?:has been|is|was|been|are|were) (?:temporarily )?(?:delayed|deferred)|\bdelayed (?:for|mail|delivery|more|by)|\bdelivery (?:is |has been |was )?(?:temporarily )?(?:delayed|deferred)|\bmessage (?:is |has been )?delayed|\bcould not send message for past|\bstill undelivered|\bwarning: (?:message|could not|mail)|\btemporary (?:non-?)?delivery (?:problem|delay)|\btransient non-?fatal|\bwill keep trying|\(delay\)|\bthis is (?:only|just) a (?:warning|notification of delay)|\bretry(?:ing)? (?:for|delivery)(?: \w+){0,4} (?:hours?|days?)|\bnot a (?:failure|bounce)\b/i,
  /verz.{1,2}gert|verz.{1,2}gerung|(?:wird|werden) (?:weiter|erneut|noch)(?: \S+){0,4} (?:versucht|versuchen|zuzustellen|wiederholt)|noch nicht (?:zugestellt|ausgeliefert)|weitere zustellversuche|keine aktion erforderlich|zustellversuche? (?:wird|werden) (?:fortgesetzt|wiederholt)/i,
  /remise (?:est |a .t. )?(?:diff.r|retard)|retard(?:.|e) (?:de|dans)|pas encore (?:.t. )?(?:remis|distribu|d.livr)|nouvelles? tentatives?|continuera (?:.|.) (?:essayer|tenter)|aucune action/i,
  /(?:se ha |est. |ha sido )?(?:retrasad|demorad)[ao]|a.n no (?:se )?ha|seguir. intent|se volver. a intentar|entrega (?:est. |se ha )?retrasad|no es necesario (?:que )?(?:re)?env/i,
  /(?:.|.|ha subito un|in) ritard|ritardat|non (?:.|.') ancora stat|continuer. a (?:tentare|provare)|verr. ritentat|nuovi tentativi/i,
  /(?:est. |foi |sofreu )?(?:atrasad|adiad)[ao]|ainda n.o (?:foi|p.de)|continuar. (?:a )?(?:tentar|tentando)|atraso na entrega/i,
  /vertraagd|vertraging|nog niet (?:bezorgd|afgeleverd)|blijft proberen|f.rsenad|f.rdr.j|.nnu inte|forsinke|enn. ikke|endnu ikke|viiv.st|viel. ei/i,
  /op..nion|jeszcze nie|nadal pr.b|zpo.d.n|dosud neby|je.t. neby|odlo.en/i,
  /задерж|отложен|пока не (?:доставлен|удалось)|(?:еще|ещё) не доставлен|будет (?:продолж|повтор)|попытки .{0,30}продолж|затрим|gecik|geciktiril/i,
  /遅延|遅れ|再送を|再試行し|継続して配信|まだ配信|(?:延迟|延遲|延误|仍在尝试|继续尝试|繼續嘗試|将继续|尚未(?:送达|送達|传递))|지연|계속 시도|다시 시도합니다/,
]
/** Takes a delay phrase back: said of attempts that are over. */
const GIVEN_UP =
  /\b(?:will not|won't|not going to|no (?:longer|further)|never)(?: be)?(?: \w+){0,3} (?:retr\w+|try\w*|attempt\w*)|given up|giving up|permanent(?:ly)? (?:error|fail\w*|fatal)|too long|gave up|endg.{1,2}ltig|no further attempts|has expired|delivery failed|(?:could|can) ?not be delivered for|returned to (?:the )?sender|failed permanently/i

const ABSENT =
  /\bout of (?:the )?office|\bauto(?:matic)?[- ]?(?:reply|response|responder|antwort)\b|\bon (?:vacation|holiday|leave)\b|\bno longer (?:works?|with|employed|at)\b|\bvacation (?:message|reply|notice)|\babwesen(?:d|heit)|\burlaub\b|\babsence du bureau|r.ponse automatique|respuesta autom.tica|risposta automatica|\bresposta autom.tica|afwezig|fr.nvaro|automatisk svar|frav.r|poissa|nieobecno|mimo kancel|автоответ|в отпуске|自動(?:応答|返信)|自动(?:回复|答复)|自動回覆|부재/i

export function failureSubject(subject: string): boolean {
  const text = subject.slice(0, 300)
  return SUBJECTS.some((phrase) => phrase.test(text)) || delaySubject(text)
}

export const delaySubject = (subject: string): boolean => DELAYS.some((phrase) => phrase.test(subject.slice(0, 300)))
export const saysFailure = (text: string): boolean => FAILURES.some((phrase) => phrase.test(text))
export const saysAbsent = (text: string): boolean => ABSENT.test(text)

/** Whether the report as a whole speaks of a delay: its subject or its text says so and nothing says that it is over. */
export function saysDelay(subject: string, text: string): boolean {
  const start = text.slice(0, 8192)
  if (GIVEN_UP.test(subject)) return false
  if (delaySubject(subject)) return !/undeliver(?:ed|able)|failure|failed/i.test(subject)
  return DELAYS.some((phrase) => phrase.test(start)) && !GIVEN_UP.test(start)
}
