"""manage.py catalogue: bring locale/en up to what the sources say, compile it, and list what still lacks English."""

from django.core.management.base import BaseCommand

from hospital import catalogue


class Command(BaseCommand):
    help = "Extract, merge and compile the English catalogue (make messages)."

    def handle(self, *args, **options):
        merged = catalogue.merge()
        catalogue.save(merged)
        found = catalogue.problems(merged)
        for line in found:
            self.stdout.write(line)
        self.stdout.write(f"{len(merged)} sentences, {len(found)} to do: {catalogue.po_path()}")
