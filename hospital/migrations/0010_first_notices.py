"""The first version of the three notices, and how long records stay (O4). A new version is a new row, never an edit.

个人信息保护法 articles 13, 14, 17 (what a notice must say), 28–31 (health data, children under 14), 44–50 (rights).
A paragraph that begins with "# " is a heading. The hospital's name, the way to reach it and the retention times in
force are added by the page, from the rows that hold them.
"""

from datetime import date

from django.db import migrations

PRIVACY = """本告知书说明：您用手机号在网上预约挂号时，本院收集哪些个人信息、为什么、保存多久，以及您可以怎样查看、更正、删除。请读完后再决定是否同意。

# 谁在处理您的信息
本院是个人信息处理者，名称和联系方式见本页末尾。

# 我们收集什么，用来做什么
手机号：用来登录、核对是不是您本人、发送预约和停诊通知。没有手机号，就不能在网上登录。

就诊人的姓名、证件种类和号码、性别、出生日期、联系电话，以及与您的关系：国家要求实名就医，用来建立就诊档案、防止号贩子抢号、确认您可以为谁预约。

预约、改约、退号和到院记录：用来给您留号、提醒您就诊、计算爽约和限号规则。

登录时间、网络地址和设备标记：用来发现冒用账号、保障系统安全。我们不读取您的通讯录、照片和位置。

健康信息属于敏感个人信息，另有单独同意；不满 14 周岁儿童的信息，另有儿童个人信息处理规则。

# 依据
以上信息是为您提供您要求的预约服务所必需，或者是法律规定本院必须履行的义务。超出这些用途，我们会再次征得您的同意。

# 我们怎样保存和保护
信息保存在本院在中国境内的系统里。手机号和证件号码加密保存，页面上只显示一部分。工作人员按岗位查看，每次查看和修改都留下记录。如果发生泄露，我们会按法律规定采取补救措施，并告知您和主管部门。

# 会不会给别人
我们不出售个人信息，不用于广告，也不做自动化的个人评价。短信由通信运营商代为发送，只提供号码和短信内容。法律要求时，例如传染病报告或医疗保险结算，我们按规定提供。向其他机构提供前，会告诉您对方是谁，并另行征得您的单独同意，法律另有规定的除外。

# 保存多久
只保存到实现上述目的所必需的时间，或者法律规定的最短期限，具体期限见本页末尾的表。到期后删除，或者做匿名处理。

# 您的权利
您可以随时在“我的—隐私与个人信息”里：查看和复制您的信息；要求更正；撤回同意；申请删除信息、注销账号。也可以到门诊服务台办理，我们会请您出示证件。我们在 15 个工作日内答复；不能满足时，会告诉您原因。您不满意答复的，可以向网信部门或卫生健康行政部门投诉，也可以向人民法院起诉。

撤回同意，不影响撤回之前已经做的处理。依法必须保存的病历等记录，在保存期满前不能删除，但除了保存和保护，我们不再作其他使用。

# 不同意会怎样
不同意也可以浏览科室、医生和号源，也可以到窗口、打电话预约，看病不受影响；只是不能用手机号在网上预约。

# 变更
本告知书内容变化时，我们会发布新版本，并在您下次使用时再次征得同意。旧版本可以在本页查看。"""

PRIVACY_EN = """This notice says which personal information the hospital collects when you book online with your phone number, why, how long it is kept, and how you can see, correct or erase it. Please read it before you decide.

# Who processes your information
The hospital is the personal information processor. Its name and contact are at the end of this page.

# What we collect and what for
Phone number: to sign you in, to check that it is you, and to tell you about bookings and cancelled clinics. Without a phone number you cannot sign in online.

Name, kind and number of the identity document, sex, date of birth, contact phone of each patient, and how you are related: the state requires real-name care; we need this to open a medical record, to stop ticket scalpers, and to know for whom you may book.

Bookings, changes, cancellations and arrivals: to keep your number, to remind you, and to apply the rules on missed visits and booking limits.

Sign-in times, network addresses and a mark of the device: to notice misuse of an account and keep the system safe. We do not read your contacts, photos or position.

Health information is sensitive and needs a separate consent. Information of children under 14 has rules of its own.

# Legal basis
We need the above to give you the booking service that you ask for, or the law obliges the hospital to hold it. For any other purpose we shall ask you again.

# How we keep and protect it
Information is kept in the hospital's own systems in mainland China. Phone and document numbers are encrypted and shown only in part. Staff see what their post needs, and every look and change leaves a record. After a leak we take the remedies that the law prescribes and tell you and the authorities.

# Whether others get it
We do not sell personal information, use it for advertising or rate people automatically. Telephone companies send text messages for us and get the number and the words only. Where the law requires it, such as for infectious diseases or medical insurance, we provide what is prescribed. Before we give anything to another organization we tell you who it is and ask for a separate consent, unless the law says otherwise.

# How long
Only as long as these purposes need, or for the shortest time that the law prescribes; see the table at the end of this page. After that it is erased or made anonymous.

# Your rights
Under "Me – Privacy and personal information" you can at any time see and copy your information, ask for corrections, withdraw consent, and ask us to erase information and close the account. You can also do so at the outpatient service desk with your identity document. We answer within 15 working days and give the reason if we cannot do what you ask. If the answer does not satisfy you, you may complain to the cyberspace or health authorities or go to court.

Withdrawing consent does not change what was done before. Records that the law makes us keep, such as medical records, cannot be erased before their time; we then only store and protect them.

# If you do not agree
You can still look at departments, doctors and free numbers, and book at the counter or by telephone. Your care does not suffer; only booking online with a phone number is not possible.

# Changes
When this notice changes we publish a new version and ask you again at your next use. Older versions can be read on this page."""

HEALTH = """医疗健康信息是敏感个人信息，一旦泄露或被非法使用，可能使人受到歧视，或者使人身、财产安全受到危害。法律要求我们就此单独征得您的同意。

# 处理哪些健康信息
就诊人预约了哪个科室、哪位医生、什么时间；是否到院、是否就诊；医生在本院开具的复诊安排。预约的各页不显示诊断、检查结果和病历正文。

# 为什么必须处理
不知道看哪个科、哪位医生，就无法留号、提醒、改约和停诊通知；同一个人在同一天同一科只能约一次，也要靠这些记录。

# 对您的影响
登录这个账号的人，能看到就诊人的预约时间、科室和医生。请不要让别人使用您的手机登录。为家人预约时，请先取得家人的同意。

# 怎样保护
传输和保存都加密；列表里姓名只显示一部分；接诊医生和窗口人员按岗位查看，并留下记录。

# 撤回
您可以随时在“我的—隐私与个人信息”里撤回对某位就诊人的同意。撤回后，不能再用本账号为其预约；已约好的号仍然保留，您可以退号或按时就诊。到窗口、电话预约和看病不受影响。"""

HEALTH_EN = """Health information is sensitive personal information: if it leaks or is misused, a person may be discriminated against or come to harm. The law asks us to get your separate consent for it.

# Which health information
Which department, which doctor and what time the patient booked; whether the patient came and was seen; follow-up visits arranged by a doctor of this hospital. The booking pages show no diagnoses, test results or medical notes.

# Why it is necessary
Without the department and the doctor we can neither keep a number, remind you, change a booking nor tell you of a cancelled clinic; the rule of one booking a day for one person in one department needs these records too.

# What it means for you
Whoever signs in to this account sees the times, departments and doctors of the patient's bookings. Do not let others sign in with your phone. Before you book for relatives, ask them.

# How it is protected
It is encrypted on its way and at rest. Lists show names only in part. Doctors and the counter see what their post needs, and each look leaves a record.

# Withdrawing
Under "Me – Privacy and personal information" you can withdraw your consent for any one patient at any time. This account can then no longer book for that patient; bookings that are made stay, and you may cancel or keep them. Booking at the counter or by telephone and being treated are not affected."""

CHILD = """不满 14 周岁儿童的个人信息都是敏感个人信息，处理前必须取得父母或者其他监护人的同意。本规则是对《个人信息保护告知》的补充，写给监护人。

# 谁可以添加
只有儿童的父母或者其他监护人可以添加。请确认您是监护人；冒充监护人要承担法律责任。

# 收集什么，用来做什么
儿童的姓名、证件种类和号码、性别、出生日期、联系电话，与监护人的关系，以及预约和到院记录。只用于实名建档、预约、就诊提醒和停诊通知，不作其他用途，不向您推送任何儿童商品或服务。

# 保存与保护
与成人信息一样加密保存；除接诊和窗口的必要岗位外，任何人查看都要有理由并留下记录。保存期限见本页末尾的表。

# 您可以做什么
您可以随时查看、复制、更正儿童的信息，也可以撤回同意、要求删除。撤回后，不能再用本账号为儿童预约；已约好的号仍然保留。法律规定必须保存的病历，保存期满前不能删除。

# 不同意会怎样
不同意就不能在网上为儿童添加和预约；可以带孩子的证件到窗口办理，看病不受影响。

# 满 14 周岁以后
儿童满 14 周岁后，本规则不再适用；请与孩子商量，是否继续由您的账号为其预约。

# 联系我们
对儿童个人信息有任何问题、投诉，请按本页末尾的联系方式找我们，我们会优先答复。"""

CHILD_EN = """All personal information of children under 14 is sensitive, and a parent or other guardian must agree before it is processed. These rules supplement the privacy notice and are written for guardians.

# Who may add a child
Only a parent or other guardian of the child. Please be sure that you are; posing as a guardian is against the law.

# What we collect and what for
The child's name, kind and number of the identity document, sex, date of birth, contact phone, how you are related, bookings and arrivals. They serve only the real-name record, booking, reminders and news of cancelled clinics. They are used for nothing else, and we advertise nothing for children to you.

# Keeping and protecting
Encrypted like the information of adults. Beyond the posts that need it for the visit, nobody looks without a reason, and each look leaves a record. For how long: see the table at the end of this page.

# What you can do
At any time you can see, copy and correct the child's information, withdraw consent or ask for erasure. After withdrawing, this account can no longer book for the child; bookings that are made stay. Medical records that the law makes us keep cannot be erased before their time.

# If you do not agree
Then the child cannot be added or booked for online. You can do both at the counter with the child's identity document. Care does not suffer.

# From the 14th birthday on
These rules no longer apply then. Please talk with your child about whether your account should go on booking.

# Reaching us
With any question or complaint about a child's information please use the contact at the end of this page; we answer these first."""

NOTICES = [
    ("privacy", "个人信息保护告知", "Privacy notice", PRIVACY, PRIVACY_EN),
    ("health", "健康信息处理的单独同意", "Separate consent for health information", HEALTH, HEALTH_EN),
    ("child", "儿童个人信息处理规则", "Rules for children's personal information", CHILD, CHILD_EN),
]
PUBLISHED = date(2026, 11, 1)

RETENTION = [
    # 病历 of outpatients: at least 15 years after the last visit. Nothing erases them by itself.
    ("visits", 15 * 365 + 4, "《医疗机构病历管理规定（2013年版）》第二十九条：门（急）诊病历自最后一次就诊之日起保存不少于15年"),
    ("trail", 3 * 365, "《网络安全法》要求网络日志留存不少于六个月；本院规定保存三年"),
    ("messages", 365, "本院规定：预约通知发出一年后删除"),
    ("codes", 2, "本院规定：只用于限制发送次数，两天后删除"),
    ("account", 0, "《个人信息保护法》第四十七条：注销账号时删除"),
]  # fmt: skip


def write(apps, _schema_editor):
    notices, rules = apps.get_model("hospital", "Notice").objects, apps.get_model("hospital", "RetentionRule").objects
    for kind, title, title_en, text, text_en in NOTICES:
        words = {"title": title, "title_en": title_en, "text": text, "text_en": text_en, "published_on": PUBLISHED}
        notices.get_or_create(kind=kind, version=1, defaults=words)
    for subject, days, source in RETENTION:
        rules.get_or_create(subject=subject, defaults={"days": days, "source": source})
    apps.get_model("hospital", "AccountRule").objects.get_or_create(effective_from=date(2020, 1, 1))


class Migration(migrations.Migration):
    dependencies = [("hospital", "0009_additions_and_last_words")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
