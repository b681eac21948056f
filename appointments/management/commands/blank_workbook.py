"""manage.py blank_workbook FILE: an empty workbook for a hospital to fill in."""

from django.core.management.base import BaseCommand

from hospital.workbook.writer import write_blank


class Command(BaseCommand):
    help = "Write an empty workbook: headers, a note on each column, drop-down lists, one example row."

    def add_arguments(self, parser):
        parser.add_argument("file")

    def handle(self, file, **options):
        write_blank(file)
        self.stdout.write(file)
